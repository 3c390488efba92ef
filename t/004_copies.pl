# Copies of databases that hold models: dumps by role and of models alone, a
# physical standby, logical replication.  The same seed gives the same rows
# everywhere.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $rows = q{SELECT md5(string_agg(r::text, ',')) FROM synth_sample('shop.visits', 300, seed => 5) AS r};
my @extra = (extra => [ '--locale=C.UTF-8', '--encoding=UTF8' ]);

my $primary = PostgreSQL::Test::Cluster->new('primary');
$primary->init(allows_streaming => 'logical', @extra);
$primary->start;
$primary->safe_psql(
	'postgres', q{
	CREATE EXTENSION gensynth;
	CREATE ROLE keeper LOGIN;
	CREATE SCHEMA shop AUTHORIZATION keeper;
	GRANT CREATE ON DATABASE postgres TO keeper;
	SET ROLE keeper;
	CREATE TYPE shop.mood AS ENUM ('sad', 'ok');
	CREATE TABLE shop.visits AS SELECT i AS id, (ARRAY['sad', 'ok'])[1 + i % 2]::shop.mood AS mood, i % 9 AS n
	FROM generate_series(1, 300) AS i;
	SELECT FROM synth_fit('shop.visits', seed => 1);
	SELECT synth_grant('shop.visits', 'public');
});
my $expected = $primary->safe_psql('postgres', $rows);
like($expected, qr/^[0-9a-f]{32}$/, 'a model');

# models alone, with pg_dump
my $dump = $primary->backup_dir . '/models';
mkdir $primary->backup_dir;
$primary->command_ok([ 'pg_dump', '-Fc', '-e', 'gensynth', '-n', 'gensynth', '-f', $dump, 'postgres' ], 'a dump of the extension alone');
$primary->safe_psql('postgres', 'CREATE DATABASE elsewhere');
$primary->safe_psql('elsewhere', q{CREATE SCHEMA shop; CREATE TYPE shop.mood AS ENUM ('sad', 'ok')});
$primary->command_ok([ 'pg_restore', '--exit-on-error', '-d', 'elsewhere', $dump ], 'is restored elsewhere');
is($primary->safe_psql('elsewhere', $rows), $expected, 'with its models');

# without models
$primary->command_ok([ 'pg_dump', '-Fc', '-N', 'gensynth', '-f', "$dump.none", 'postgres' ], 'a dump without models');
$primary->safe_psql('postgres', 'CREATE DATABASE empty');
$primary->command_ok([ 'pg_restore', '--exit-on-error', '-d', 'empty', "$dump.none" ], 'is restored');
is($primary->safe_psql('empty', q{SELECT (SELECT count(*) FROM synth_models), (SELECT count(*) FROM shop.visits)}), '0|300',
	'with the extension, and none in it');

# a physical standby
$primary->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'base', has_streaming => 1);
$standby->start;
is($standby->safe_psql('postgres', $rows), $expected, 'a standby samples');
$primary->safe_psql('postgres', q{SET ROLE keeper; SELECT FROM synth_fit('shop.visits', seed => 2)});
my $second = $primary->safe_psql('postgres', $rows);
isnt($second, $expected, 'another version');
$primary->wait_for_catchup($standby);
is($standby->safe_psql('postgres', $rows), $second, 'which the standby has at once');
my ($status, $out, $err) = $standby->psql('postgres', q{SELECT synth_fit('shop.visits', model => 'mine')});
like($err, qr/cannot execute synth_fit\(\) (during recovery|in a read-only transaction)/, 'where nothing is learned');
($status, $out, $err) = $standby->psql('postgres', q{SELECT synth_import('x')});
like($err, qr/cannot execute synth_import\(\) (during recovery|in a read-only transaction)/, 'or imported');
like($standby->safe_psql('postgres', q{SELECT length(synth_export('shop.visits'))}), qr/^\d+$/, 'but exported');

# logical replication
my $tables = 'gensynth.models, gensynth.versions, gensynth.columns, gensynth.constraints, gensynth.tensors, gensynth.grants';
$primary->safe_psql('postgres', "CREATE PUBLICATION models FOR TABLE $tables");
my $subscriber = PostgreSQL::Test::Cluster->new('subscriber');
$subscriber->init(allows_streaming => 'logical', @extra);
$subscriber->start;
$subscriber->safe_psql('postgres', q{CREATE EXTENSION gensynth; CREATE SCHEMA shop; CREATE TYPE shop.mood AS ENUM ('sad', 'ok'); CREATE ROLE keeper});
$subscriber->safe_psql('postgres', "CREATE SUBSCRIPTION models CONNECTION '" . $primary->connstr . " dbname=postgres' PUBLICATION models");
$subscriber->poll_query_until('postgres', q{SELECT count(*) = 0 FROM pg_subscription_rel WHERE srsubstate <> 'r'});
is($subscriber->safe_psql('postgres', $rows), $second, 'a subscriber samples');
my $session = $subscriber->background_psql('postgres');
is($session->query_safe($rows), $second, 'a session there');
$primary->safe_psql('postgres', q{SET ROLE keeper; SELECT FROM synth_fit('shop.visits', seed => 3)});
$primary->wait_for_catchup('models');
is($session->query_safe($rows), $primary->safe_psql('postgres', $rows), 'sees a new version');
$session->quit;
$subscriber->safe_psql('postgres', 'DROP SUBSCRIPTION models');

done_testing();
