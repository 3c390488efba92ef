-- What masking tells of while it masks, and what it leaves alone.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS gensynth;
RESET client_min_messages;
SELECT synth_key('default', '\x000102030405060708090a0b0c0d0e0f');

CREATE TABLE masked_twice (id int PRIMARY KEY, name text);
INSERT INTO masked_twice SELECT i, 'Person ' || i FROM generate_series(1, 20) AS i;
CALL synth_mask('masked_twice', '{id,name}', '{"name": "pseudonym"}');
-- once more
CALL synth_mask('masked_twice', '{id,name}', '{"name": "pseudonym"}');
CALL synth_mask('masked_twice', '{id,name}', '{"name": "pseudonym"}', options => '{"again": 1}');
-- another table of the same name was not masked
DROP TABLE masked_twice;
CREATE TABLE masked_twice (id int PRIMARY KEY, name text);
INSERT INTO masked_twice SELECT i, 'Person ' || i FROM generate_series(1, 20) AS i;
CALL synth_mask('masked_twice', '{id,name}', '{"name": "pseudonym"}');
CALL synth_mask('masked_twice', '{name}', '{"name": "full_name"}', mode => 'update');
CALL synth_mask('masked_twice', '{name}', '{"name": "full_name"}', mode => 'update');
DROP TABLE masked_twice;
CREATE TABLE masked_twice (id int PRIMARY KEY, name text);
INSERT INTO masked_twice SELECT i, 'Person ' || i FROM generate_series(1, 20) AS i;
CREATE FUNCTION put_back() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.name := OLD.name; RETURN NEW; END';
CREATE TRIGGER put_back BEFORE UPDATE ON masked_twice FOR EACH ROW EXECUTE FUNCTION put_back();
CREATE TRIGGER after_all AFTER UPDATE ON masked_twice FOR EACH ROW EXECUTE FUNCTION put_back();
CALL synth_mask('masked_twice', '{name}', '{"name": "full_name"}', mode => 'update');
SELECT count(*) AS put_back FROM masked_twice WHERE name ~ '^Person';

-- a group that another role's table claims to be of
CREATE ROLE masking_stranger;
GRANT masking_stranger TO CURRENT_USER;
CREATE SCHEMA masking AUTHORIZATION masking_stranger;
CREATE TABLE grouped (id int PRIMARY KEY, name text);
CREATE TABLE grouped_too (name text);
INSERT INTO grouped SELECT i, 'Person ' || i FROM generate_series(1, 20) AS i;
INSERT INTO grouped_too SELECT name FROM grouped;
CREATE ROLE masking_owner;
GRANT masking_owner TO CURRENT_USER;
GRANT ALL ON SCHEMA public TO masking_owner;
ALTER TABLE grouped OWNER TO masking_owner;
ALTER TABLE grouped_too OWNER TO masking_owner;
SET ROLE masking_stranger;
CREATE TABLE masking.claims (name text);
SELECT synth_label('masking.claims', 'name', 'pseudonym(people)');
SET ROLE masking_owner;
SELECT synth_key('default', '\x000102030405060708090a0b0c0d0e0f');
SELECT synth_label('grouped', 'name', 'pseudonym(people)'), synth_label('grouped_too', 'name', 'pseudonym(people)');
CALL synth_mask('grouped', '{name}');
SELECT count(*) AS together FROM grouped JOIN grouped_too USING (name) WHERE name !~ '^Person';
RESET ROLE;

-- options
CALL synth_mask('grouped', options => '{"publish": 1}');
CALL synth_mask('grouped', options => '{"published": 2}');
CALL synth_mask('grouped', options => '{"published": {}}');
CALL synth_mask('grouped', options => '[]');
DROP TABLE grouped, grouped_too, masked_twice, masking.claims;
DROP SCHEMA masking;
DROP FUNCTION put_back();
SELECT synth_drop_key('default');
SET ROLE masking_owner;
SELECT synth_drop_key('default');
RESET ROLE;
REVOKE ALL ON SCHEMA public FROM masking_owner;
DROP ROLE masking_owner, masking_stranger;
