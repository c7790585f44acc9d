ALTER TABLE users RENAME TO chainlit_users;
ALTER TABLE threads RENAME TO chainlit_threads;
ALTER TABLE steps RENAME TO chainlit_steps;
ALTER TABLE elements RENAME TO chainlit_elements;
ALTER TABLE feedbacks RENAME TO chainlit_feedbacks;
