-- What refers to others goes first. Where something of the app's own depends on one of them, this
-- fails, and the whole adoption with it.
DROP TABLE chainlit_feedbacks;
DROP TABLE chainlit_elements;
DROP TABLE chainlit_steps;
DROP TABLE chainlit_threads;
DROP TABLE chainlit_users;
