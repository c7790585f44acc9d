-- The indexes hold only threads that have an organisation or a product, so that the others cost nothing.

ALTER TABLE threads ADD COLUMN "orgId" TEXT;
ALTER TABLE threads ADD COLUMN "product" TEXT;
CREATE INDEX threads_org_activity_idx ON threads ("orgId", "lastActivityAt", "id") WHERE "orgId" IS NOT NULL;
CREATE INDEX threads_product_activity_idx ON threads ("product", "lastActivityAt", "id") WHERE "product" IS NOT NULL;

ALTER TABLE elements ADD COLUMN "attributes" TEXT;
ALTER TABLE elements ADD COLUMN "status" TEXT;
