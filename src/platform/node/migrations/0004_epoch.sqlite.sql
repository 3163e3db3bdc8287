-- Numbers of transactions are PostgreSQL's.
SELECT 1;
