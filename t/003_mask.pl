# What a server that is killed leaves of tables that are being masked.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init(extra => [ '--locale=C.UTF-8', '--encoding=UTF8' ]);
$node->start;

sub sql { return $node->safe_psql('postgres', shift); }

# A session that begins a statement, and is left with it.
sub begin
{
	my $session = $node->background_psql('postgres', on_error_stop => 0);

	$session->query_until(qr/begun/, "\\echo begun\n" . shift);
	return $session;
}

sub wait_for_waiting
{
	my $what = shift;

	ok($node->poll_query_until('postgres',
			"SELECT count(*) = 1 FROM pg_stat_activity WHERE query ~ '^CALL' AND wait_event = 'advisory'"
		),
		"it waits $what");
}

sub state
{
	return sql("SELECT md5(string_agg(p::text, '' ORDER BY n)), (SELECT md5(string_agg(c::text, '' ORDER BY n)) FROM c) FROM p");
}

sql(q{
	CREATE EXTENSION gensynth;
	SELECT synth_key();
	CREATE TABLE p (id int PRIMARY KEY, n int, name text);
	INSERT INTO p SELECT i, i, 'Person ' || i FROM generate_series(1, 2000) AS i;
	CREATE TABLE c (n int, p int REFERENCES p);
	INSERT INTO c SELECT id, id FROM p;
	-- stops where row n of the new table is written, after the first 1,000 were tried, and where its indexes are built
	CREATE FUNCTION pause(t text, at int) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS
		'BEGIN IF at = 1700 THEN PERFORM pg_advisory_lock_shared(1); PERFORM pg_advisory_unlock_shared(1); END IF; RETURN true; END';
});
my $before = state();

# in each phase: while rows are written, while indexes are built, when all is
# done but not committed
foreach my $phase (
	[ 'while rows are written', 'ALTER TABLE p ADD CONSTRAINT stop CHECK (pause(name, n))', 'ALTER TABLE p DROP CONSTRAINT stop' ],
	[ 'while an index is built', 'CREATE INDEX stop ON c (n) WHERE pause(p::text, n)', 'DROP INDEX stop' ],
	[ 'before it commits', '', '' ])
{
	my ($what, $set, $unset) = @$phase;
	my $holder;

	sql($set) if $set;
	$holder = $node->background_psql('postgres');
	$holder->query_safe('SELECT pg_advisory_lock(1)');
	my $call = "CALL synth_mask('p', '{id,name}', '{\"name\": \"pseudonym\"}');\n";
	my $session = begin($set ? $call
		: "BEGIN;\n$call SELECT 'CALL', pg_advisory_lock(1);\n");
	if ($set)
	{
		wait_for_waiting($what);
	}
	else
	{
		ok($node->poll_query_until('postgres',
				"SELECT count(*) = 1 FROM pg_stat_activity WHERE query ~ 'lock.1' AND wait_event = 'advisory'"
			),
			"it waits $what");
	}
	$node->stop('immediate');
	$node->start;
	eval { $holder->quit };
	eval { $session->quit };
	is(state(), $before, "killed $what: the tables are as they were");
	is(sql("SELECT count(*) FROM synth_provenance"), '0', 'and nothing is written down');
	sql($unset) if $unset;
}

# once more, and it is masked
sql("CALL synth_mask('p', '{id,name}', '{\"name\": \"pseudonym\"}')");
$node->stop('immediate');
$node->start;
is(sql("SELECT count(*) FROM c JOIN p ON p.id = c.p AND p.n = c.n WHERE p.name !~ '^Person'"), '2000', 'what has committed stays');

# in the midst of batches
sql(q{
	CREATE TABLE u AS SELECT i AS id, 'Person ' || i AS name FROM generate_series(1, 2000) AS i;
	ANALYZE u;
	CREATE TABLE was AS SELECT * FROM u;
	CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pause(NEW.name, NEW.id); RETURN NEW; END';
	CREATE TRIGGER wait BEFORE UPDATE ON u FOR EACH ROW EXECUTE FUNCTION wait();
});
my $holder = $node->background_psql('postgres');
$holder->query_safe('SELECT pg_advisory_lock(1)');
my $update = "CALL synth_mask('u', '{name}', '{\"name\": \"pseudonym\"}', mode => 'update', batch_size => 50);";
my $session = begin("$update\n");
wait_for_waiting('in a batch');
$node->stop('immediate');
$node->start;
eval { $holder->quit };
eval { $session->quit };
is(sql("SELECT count(*) BETWEEN 1500 AND 1699 FROM u JOIN was USING (id) WHERE u.name <> was.name"), 't', 'batches before that are masked');
sql('CREATE TABLE half AS SELECT u.* FROM u JOIN was USING (id) WHERE u.name <> was.name');
sql($update);
is(sql("SELECT count(*) FROM u WHERE name ~ '^Person'"), '0', 'the same call goes on');
is(sql('SELECT count(*) FROM half LEFT JOIN u USING (id, name) WHERE u.id IS NULL'), '0', 'and masks no row twice');

$node->stop;
done_testing();
