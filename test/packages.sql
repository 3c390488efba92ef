-- What packagers read agrees with the control file, and META.json with the rules of PGXN (https://pgxn.org/spec/).
BEGIN;
SELECT plan(8);
\set version `sed -n "s/^default_version *= *'\(.*\)'.*/\1/p" gensynth.control`
\set meta `cat META.json`
\set debian `sed -n '1s/.*(\([0-9.]*\).*/\1/p; 1q' debian/changelog`
CREATE TABLE meta AS SELECT :'meta'::jsonb AS m;

SELECT ok(m ?& '{abstract,maintainer,license,provides,name,version,meta-spec}', 'all that META.json must have') FROM meta;
SELECT is((SELECT string_agg(key, ' ') FROM meta, jsonb_object_keys(m) AS key WHERE key <> ALL ('{abstract,maintainer,license,provides,name,version,meta-spec,description,generated_by,prereqs,release_status,resources,tags,no_index}')),
	NULL, 'and nothing that the specification does not know');
SELECT is(m ->> 'version', :'version' || '.0', 'the version, semantic') FROM meta;
SELECT is(m #> '{provides,gensynth}' ->> 'file', format('gensynth--%s.sql', :'version'), 'the install script') FROM meta;
SELECT is(m #> '{provides,gensynth}' ->> 'version', m ->> 'version', 'of that version') FROM meta;
SELECT ok(m ->> 'license' = 'postgresql' AND m ->> 'release_status' IN ('stable', 'testing', 'unstable') AND m #>> '{meta-spec,version}' = '1.0.0', 'words that are given') FROM meta;
SELECT ok(m #>> '{resources,repository,type}' = 'git' AND m #>> '{resources,repository,url}' ~ '^https://' AND m #>> '{resources,bugtracker,web}' ~ '^https://', 'resources') FROM meta;
SELECT is(:'debian'::text, :'version', 'debian/changelog begins with it');
SELECT * FROM finish();
ROLLBACK;
