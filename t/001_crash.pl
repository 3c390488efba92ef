# What a server that is killed leaves of a model, a fit and a fill.

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

# The sessions have come as far as to wait for the lock.
sub wait_for_waiting
{
	my $n = shift;

	ok($node->poll_query_until('postgres',
			"SELECT count(*) = $n FROM pg_stat_activity WHERE wait_event = 'advisory'"
		),
		"$n wait");
}

sub rows
{
	return sql("SELECT md5(string_agg(r::text, '')) FROM synth_sample('m', 3000, seed => 7) AS r");
}

sql(q{
	CREATE EXTENSION gensynth;
	CREATE TABLE source AS SELECT i AS a, chr(65 + i % 5) AS b FROM generate_series(1, 300) AS i;
	SELECT FROM synth_fit('source', model => 'm', seed => 1);
	CREATE TABLE t (a int, b text);
	-- holds up the batch after 30 rows, and a row of the source
	CREATE FUNCTION pause() RETURNS trigger LANGUAGE plpgsql AS
		'BEGIN IF (SELECT count(*) = 40 FROM t) THEN PERFORM pg_advisory_lock(1); END IF; RETURN NULL; END';
	CREATE TRIGGER pause AFTER INSERT ON t FOR EACH STATEMENT EXECUTE FUNCTION pause();
});
my $before = rows();

# Killed while one session fills, another fits, and a third has fitted but not
# committed.
my $holder = $node->background_psql('postgres');
$holder->query_safe('SELECT pg_advisory_lock(1)');
my $filler = begin("CALL synth_into('t', 200, 'm', batch_size => 10);\n");
my $fitter = begin(
	"SELECT synth_fit('SELECT a, b, CASE a WHEN 200 THEN pg_advisory_lock(1)::text END AS c FROM source', model => 'm');\n"
);
wait_for_waiting(2);
my $other = $node->background_psql('postgres');
$other->query_safe("BEGIN; SELECT synth_fit('source', seed => 2)");
is(sql('SELECT done, n FROM synth_fills'), '30|200', 'a fill is under way');
$node->stop('immediate');
eval { $_->quit } foreach ($holder, $filler, $fitter, $other);
$node->start;

is(sql('SELECT model, version, current FROM synth_models'),
	'm|1|t', 'what was committed is there, and nothing else');
is(rows(), $before, 'and makes the same rows');
is(sql("SELECT count(*) FROM gensynth.tensors WHERE (model, version) <> ('m', 1)"),
	'0', 'no parameters are left over');
is(sql('SELECT done, (SELECT count(*) FROM t), finished FROM synth_fills'),
	'30|30|f', 'of the fill, the committed batches');

my ($status, $out, $err) =
  $node->psql('postgres', "CALL synth_into('t', 200, 'm')");
is($status, 0, 'the same call');
like($err, qr/resuming after 30 of 200 rows/, 'goes on');
is(sql(q{
	SELECT (SELECT count(*) FROM t),
		(SELECT count(*) FROM (SELECT * FROM synth_rows('m', 200, seed => f.seed) AS s(a int, b text)
			EXCEPT ALL SELECT * FROM t) AS d)
	FROM synth_fills AS f
}), '200|0', 'and ends with every row of one stream, once');
is(sql("SELECT version FROM synth_fit('source', model => 'm', seed => 3)"),
	'2', 'the next fit is the next version');

# A restart in good order changes nothing.
$before = rows();
$node->restart;
is(rows(), $before, 'the same rows after a restart');

$node->stop;
done_testing();
