-- What newcomers met: each message says what to do.
BEGIN;
SELECT plan(17);
SET LOCAL client_min_messages = error;
SET LOCAL search_path = public;
\ir lib/as_role.sql
CREATE FUNCTION says(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	message text;
	hint text;
BEGIN
	EXECUTE statement;
	RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, hint = PG_EXCEPTION_HINT;
	RETURN message || ' / ' || hint;
END $$;

CREATE ROLE messages_one;
CREATE ROLE messages_two;
CREATE SCHEMA sales;
CREATE TABLE sales.orders AS SELECT i AS id, i % 7 AS a FROM generate_series(1, 300) AS i;
CREATE TABLE copy (LIKE sales.orders);
CREATE TABLE nothing (a int);
SELECT model FROM synth_fit('sales.orders', seed => 1) \g /dev/null

SELECT is(says($$SELECT synth_sample('sales.orders', 1e20)$$), 'number of rows must be at most 9e+18 / Rows are made as they are read: ask for as many as you need.', 'too many rows');
SELECT is(says($$SELECT synth_sample('orders')$$), 'model "orders" does not exist / Perhaps you meant "sales.orders".', 'a name without its schema');
SELECT is(says($$SELECT synth_sample('order')$$), 'model "order" does not exist / SELECT * FROM synth_models lists the models; synth_fit makes one.', 'no name that is near');
SELECT is(says($$SELECT synth_fit('nothing')$$), 'public.nothing has 0 rows, too few to learn from / It needs at least rare_threshold (5) rows.', 'a table without rows');
SELECT is(says($$SELECT synth_fit('SELECT 1 AS a WHERE false', model => 'x')$$), 'source has 0 rows, too few to learn from / It needs at least rare_threshold (5) rows.', 'a query without rows');

-- a fill without the right to
SELECT synth_grant('sales.orders', 'messages_one') \g /dev/null
SET LOCAL ROLE messages_one;
SELECT is(says($$CALL synth_into('copy', 10, model => 'sales.orders')$$), 'permission denied to insert into public.copy / Whoever owns it can allow it: GRANT INSERT ON public.copy TO messages_one.', 'no INSERT');
RESET ROLE;
ALTER TABLE copy ADD UNIQUE (id);
SELECT is(as_role('messages_one', $$CALL synth_into('copy', 10, model => 'sales.orders')$$), '42501', 'also before SELECT, which keys need');
GRANT INSERT (id), SELECT ON copy TO messages_one;
SET LOCAL ROLE messages_one;
SELECT matches(says($$CALL synth_into('copy', 10, model => 'sales.orders')$$), '^permission denied to insert into public.copy', 'INSERT on some columns');
RESET ROLE;
GRANT INSERT (a) ON copy TO messages_one;
SELECT is(as_role('messages_one', $$CALL synth_into('copy', 10, model => 'sales.orders')$$), 'no error', 'INSERT on all that are filled');


-- somebody else's model
GRANT USAGE ON SCHEMA sales TO messages_two;
GRANT SELECT ON sales.orders TO messages_two;
SET LOCAL ROLE messages_two;
SELECT matches(says($$SELECT synth_fit('sales.orders')$$), '^must be owner of model "sales.orders" to fit it again / Choose another name, such as model => ''sales.orders of messages_two'', or SET ROLE ', 'a fit by a second role');
SELECT is(says($$SELECT model FROM synth_fit('sales.orders', model => 'sales.orders of messages_two')$$), 'no error', 'does as it was told');
RESET ROLE;

-- all roles
SELECT is(as_role('messages_two', $$SELECT count(*) FROM synth_sample('sales.orders', 3)$$), '42501', 'not granted');
SELECT synth_grant('sales.orders', 'PUBLIC') \g /dev/null
SELECT is(as_role('messages_two', $$SELECT count(*) FROM synth_sample('sales.orders', 3)$$), 'no error', 'granted to PUBLIC');
SELECT is(as_role('messages_two', $$DO 'BEGIN ASSERT (SELECT count(*) FROM synth_models WHERE model = ''sales.orders'') = 1; END'$$), 'no error', 'which shows it, too');
SELECT synth_revoke('sales.orders', 'public') \g /dev/null
SELECT is(as_role('messages_two', $$SELECT count(*) FROM synth_sample('sales.orders', 3)$$), '42501', 'taken back');
SELECT is(as_role('messages_one', $$SELECT count(*) FROM synth_sample('sales.orders', 3)$$), 'no error', 'from PUBLIC alone');
SELECT throws_ok($$SELECT synth_grant('sales.orders', 'messages_nobody')$$, '42704', 'role "messages_nobody" does not exist');
SELECT * FROM finish();
ROLLBACK;
