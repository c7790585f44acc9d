-- What every candidate's tables are filled from. The list of threads comes from Python; here each
-- gets its steps, a second apart, and some steps get elements and votes. Ids are UUIDs, because
-- some candidates take nothing else, and hold the row's number.

CREATE TEMPORARY TABLE seed_list (
    n INTEGER NOT NULL PRIMARY KEY,
    owner INTEGER NOT NULL,
    steps INTEGER NOT NULL,
    first_step INTEGER NOT NULL,
    common INTEGER NOT NULL,
    rare INTEGER NOT NULL,
    favorite INTEGER NOT NULL
);

CREATE TEMPORARY TABLE seed_users AS
SELECT
    owner AS n,
    '00000000-0000-4000-a000-' || SUBSTR(CAST(1000000000000 + owner AS TEXT), 2) AS id,
    'person-' || owner AS identifier,
    '2026-01-01T00:00:00.000000Z' AS created_at
FROM (SELECT DISTINCT owner FROM seed_list) AS owners;

CREATE TEMPORARY TABLE seed_numbers AS
WITH RECURSIVE places (thread, steps, first_step, place) AS (
    SELECT n, steps, first_step, 0 FROM seed_list WHERE steps > 0
    UNION ALL
    SELECT thread, steps, first_step, place + 1 FROM places WHERE place + 1 < steps
)
SELECT thread, place, first_step + place AS n FROM places;

CREATE TEMPORARY TABLE seed_steps AS
SELECT
    seed_numbers.n AS n,
    seed_numbers.place AS place,
    '00000000-0000-4000-8000-' || SUBSTR(CAST(1000000000000 + seed_numbers.n AS TEXT), 2) AS id,
    '00000000-0000-4000-9000-' || SUBSTR(CAST(1000000000000 + thread AS TEXT), 2) AS thread_id,
    CASE
        WHEN place % 3 = 2 THEN '00000000-0000-4000-8000-' || SUBSTR(CAST(999999999999 + seed_numbers.n AS TEXT), 2)
    END AS parent_id,
    CASE place % 3 WHEN 0 THEN 'user_message' WHEN 1 THEN 'run' ELSE 'assistant_message' END AS type,
    CASE place % 3 WHEN 0 THEN 'person' WHEN 1 THEN 'on_message' ELSE 'bot' END AS name,
    CASE WHEN place % 3 = 1 THEN '{"question": ' || seed_numbers.n || '}' ELSE '' END AS input,
    'Number ' || seed_numbers.n || '. '
    || CASE WHEN place = 2 AND common = 1 THEN 'A harbour. ' ELSE '' END
    || CASE WHEN place = 2 AND rare = 1 THEN 'A quasar. ' ELSE '' END
    || 'A data layer is asked for little and often: it takes down what was said, in the order in which it was said, and '
    || 'gives it back when somebody comes again. What it must not do is keep anybody waiting, lose a word, or show one '
    || 'person what another said. The rest of this answer stands here so that it is as long as answers are, which is '
    || 'some hundreds of characters, more than fits a line and less than fills a page of any book that one would read.'
    AS output,
    '2026-01-' || SUBSTR(CAST(101 + seed_numbers.n / 86400 AS TEXT), 2)
    || 'T' || SUBSTR(CAST(100 + seed_numbers.n / 3600 % 24 AS TEXT), 2)
    || ':' || SUBSTR(CAST(100 + seed_numbers.n / 60 % 60 AS TEXT), 2)
    || ':' || SUBSTR(CAST(100 + seed_numbers.n % 60 AS TEXT), 2) || '.000000Z' AS created_at,
    CASE WHEN place = 0 THEN favorite ELSE 0 END AS favorite,
    CASE WHEN place = 0 AND favorite = 1 THEN '{"favorite": true}' ELSE '{}' END AS metadata
FROM seed_numbers
JOIN seed_list ON seed_list.n = seed_numbers.thread;

CREATE TEMPORARY TABLE seed_threads AS
SELECT
    '00000000-0000-4000-9000-' || SUBSTR(CAST(1000000000000 + seed_list.n AS TEXT), 2) AS id,
    'Title ' || seed_list.n AS name,
    seed_users.id AS user_id,
    seed_users.identifier AS user_identifier,
    times.first_at AS created_at,
    times.last_at AS last_activity_at,
    seed_list.favorite AS favorite
FROM seed_list
JOIN seed_users ON seed_users.n = seed_list.owner
JOIN (
    SELECT thread_id, MIN(created_at) AS first_at, MAX(created_at) AS last_at FROM seed_steps GROUP BY thread_id
) AS times
    ON times.thread_id = '00000000-0000-4000-9000-' || SUBSTR(CAST(1000000000000 + seed_list.n AS TEXT), 2);

CREATE TEMPORARY TABLE seed_elements AS
SELECT
    '00000000-0000-4000-b000-' || SUBSTR(CAST(1000000000000 + n AS TEXT), 2) AS id,
    thread_id,
    id AS step_id,
    'report-' || n || '.txt' AS name,
    SUBSTR(CAST(1000000000000 + n AS TEXT), 2) AS object_key,
    created_at,
    n
FROM seed_steps
WHERE place % 10 = 2;

CREATE TEMPORARY TABLE seed_feedbacks AS
SELECT
    '00000000-0000-4000-8001-' || SUBSTR(CAST(1000000000000 + n AS TEXT), 2) AS id,
    thread_id,
    id AS step_id,
    n % 2 AS value,
    created_at
FROM seed_steps
WHERE place % 10 = 2;
