ALTER TABLE message_summaries ADD COLUMN "earlier" TEXT;
