# What private fits have spent stays spent: sessions that spend at the same
# time, fits that are cancelled, terminated or killed half-way, a server without
# a process to spare, and a standby.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init(
	extra => [ '--locale=C.UTF-8', '--encoding=UTF8' ],
	allows_streaming => 1);
# nothing is written of its own accord before a server is killed
$node->append_conf('postgresql.conf',
	"restart_after_crash = on\nsynchronous_commit = off\nwal_writer_delay = 10s\nmax_worker_processes = 20\n");
$node->start;

sub sql { return $node->safe_psql('postgres', shift); }

# The SQLSTATE and message of a statement that fails.
sub failure
{
	my ($status, $out, $err) =
	  $node->psql('postgres', "\\set VERBOSITY verbose\n" . shift);

	return $err =~ /ERROR:\s+(.*)/ ? $1 : "no error: $out$err";
}

# A session that begins a statement, and is left with it.
sub begin
{
	my $session = $node->background_psql('postgres', on_error_stop => 0);

	$session->query_until(qr/begun/, "\\echo begun\n" . shift);
	return $session;
}

sql(q{
	CREATE EXTENSION gensynth;
	CREATE TABLE t (age int CHECK (age >= 0 AND age <= 50));
	INSERT INTO t SELECT i % 50 FROM generate_series(1, 300) AS i;
	CREATE TABLE shared (LIKE t INCLUDING ALL);
	INSERT INTO shared TABLE t;
	CREATE ROLE analyst;
	GRANT SELECT ON t, shared TO analyst;
	GRANT CREATE ON SCHEMA public TO analyst;
	-- each row is read through this, if the analyst reads it
	CREATE SEQUENCE reads;
	CREATE FUNCTION pause(int) RETURNS boolean IMMUTABLE LEAKPROOF LANGUAGE plpgsql SECURITY DEFINER AS
		'BEGIN PERFORM nextval($$reads$$), pg_advisory_lock_shared(1), pg_advisory_unlock_shared(1); RETURN true; END';
	-- which is let pass as if it were PostgreSQL's own
	SET allow_system_table_mods = on;
	UPDATE pg_proc SET oid = 9999 WHERE proname = 'pause';
	ALTER TABLE t ENABLE ROW LEVEL SECURITY;
	CREATE POLICY pause ON t USING (pause(age));
	SELECT synth_budget('t', 1000), synth_budget('shared', 3);
});
my $fit = q{SELECT synth_fit('t', model => 'm', epsilon => 0.5)};
my $as_analyst = 'SET ROLE analyst';
my $was_read = 'SELECT is_called FROM reads';

# An epsilon of 3 covers seven of 1, and these are 18.
my @sessions = map {
	begin(join '', map { "SELECT FROM synth_fit('shared', model => 'm$_', epsilon => 1);\n" } map { $_, $_ } $_)
} 1 .. 6;
$_->quit foreach @sessions;
my $fits = sql(q{SELECT count(*) FROM synth_ledger WHERE relation = 'public.shared'});
is(sql(q{SELECT count(*) FROM synth_models}), $fits, 'each fit that has spent is stored');
is($fits, 7, 'sessions that would overspend together do not');
is(sql(q{SELECT spent <= 3 FROM synth_budgets WHERE relation = 'public.shared'}),
	't', 'nor by a bit');
like(failure(q{SELECT synth_fit('shared', model => 'm1', epsilon => 1)}), qr/53400: privacy budget of public\.shared is spent/, 'and then it is spent');

# Two that have come as far as to write at the same time, or have given up by then on a slow machine.
sql(q{CREATE TABLE pair (LIKE t INCLUDING ALL); SELECT synth_budget('pair', 1)});
my $locker = $node->background_psql('postgres');
$locker->query_safe('BEGIN; LOCK TABLE gensynth.privacy_ledger IN SHARE MODE');
@sessions = map { begin("SELECT synth_fit('pair', model => 'pair$_', epsilon => 0.9);\n") } 1 .. 2;
ok($node->poll_query_until('postgres', q{SELECT (SELECT count(*) = 2 FROM pg_stat_activity WHERE backend_type = 'gensynth worker' AND wait_event_type = 'Lock')
	OR NOT EXISTS (SELECT FROM pg_stat_activity WHERE state = 'active' AND query ~ '^SELECT synth_fit..pair')}), 'two wait to write');
$locker->query_safe('COMMIT');
$locker->quit;
$_->quit foreach @sessions;
is(sql(q{SELECT count(*) < 2 FROM synth_ledger WHERE relation = 'public.pair'}), 't', 'one is left out');

# No process is free: nothing is read.
$node->append_conf('postgresql.conf', 'max_worker_processes = 1');
$node->restart;
like(failure("$as_analyst; $fit"), qr/^53000/, 'a server without a process to spare refuses a fit');
is(sql($was_read), 'f', 'before a row is read');
like(failure(q{SELECT synth_budget('t', 2000)}), qr/^53000/, 'and a budget');
$node->append_conf('postgresql.conf', 'max_worker_processes = 20');
$node->restart;

# A process that ends before it has written: nothing is read either.
$locker = $node->background_psql('postgres');
$locker->query_safe('BEGIN; LOCK TABLE gensynth.privacy_ledger IN SHARE MODE');
my $waiter = begin("$as_analyst; $fit;\n");
ok($node->poll_query_until('postgres', q{SELECT count(*) = 1 FROM pg_stat_activity WHERE backend_type = 'gensynth worker' AND wait_event_type = 'Lock'}),
	'a process that writes the ledger waits');
sql(q{SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'gensynth worker'});
$waiter->quit;
$locker->quit;
is(sql("SELECT is_called OR EXISTS (SELECT FROM synth_ledger WHERE model = 'm') FROM reads"), 'f', 'one that is terminated leaves no row and reads none');

# What is charged before the first row is read stays, whatever comes then.
my $checkpointer = q{SELECT pid FROM pg_stat_activity WHERE backend_type = 'checkpointer'};
foreach my $how ('pg_cancel_backend', 'pg_terminate_backend', 'ROLLBACK', 'KILL', 'immediate')
{
	my $before = sql(q{SELECT count(*) FROM synth_ledger});
	my $holder = $node->background_psql('postgres', on_error_stop => 0);

	$holder->query_safe('SELECT pg_advisory_lock(1)');
	my $session = begin("BEGIN; $as_analyst; $fit;\nROLLBACK;\n");
	ok($node->poll_query_until('postgres', "SELECT count(*) = 1 FROM pg_stat_activity WHERE wait_event = 'advisory'"),
		"$how: the first row is read");
	is(sql(q{SELECT count(*) FROM synth_ledger}), $before + 1, 'and charged');
	my $pid = sql(q{SELECT pid FROM pg_stat_activity WHERE wait_event = 'advisory'});
	if ($how eq 'KILL')
	{
		# the server that answers may still be the one that has not noticed
		my $old = sql($checkpointer);
		kill 'KILL', $pid;
		eval { $_->quit } foreach ($session, $holder);
		ok($node->poll_query_until('postgres', "SELECT ($checkpointer) <> $old"), 'the server is there again');
	}
	elsif ($how eq 'immediate')
	{
		$node->stop('immediate');
		eval { $_->quit } foreach ($session, $holder);
		$node->start;
	}
	else
	{
		sql("SELECT $how($pid)") unless $how eq 'ROLLBACK';
		$holder->quit;
		eval { $session->quit };
	}
	is(sql(q{SELECT concat(count(*), coalesce(max(version), 0)) FROM (SELECT * FROM synth_ledger ORDER BY id OFFSET } . $before . ') AS l'),
		'10', "$how: it is spent, and there is no version");
}
is(sql($was_read), 't', 'rows were read by then');
is(sql(q{SELECT count(*) FROM synth_models WHERE model = 'm'}), 0, 'of no model');

sql("$as_analyst; $fit");
is(sql(q{SELECT version FROM synth_ledger ORDER BY id DESC LIMIT 1}), 1, 'a fit that comes to its end');

# A standby shows both, and writes neither.
$node->backup('standby');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'standby', has_streaming => 1);
$standby->start;
$node->wait_for_catchup($standby);
is($standby->safe_psql('postgres', q{SELECT count(*), bool_or(spent > 0) FROM synth_budgets}), '3|t', 'a standby shows budgets');
is($standby->safe_psql('postgres', 'SELECT count(*) FROM synth_ledger'), sql('SELECT count(*) FROM synth_ledger'), 'and the ledger');
my ($status, $out, $err) = $standby->psql('postgres', "\\set VERBOSITY verbose\nSELECT synth_budget('t', 2000)");
like($err, qr/25006/, 'and takes none');
($status, $out, $err) = $standby->psql('postgres', "\\set VERBOSITY verbose\n$fit");
like($err, qr/25006/, 'nor a fit');
$standby->stop;

$node->stop;
done_testing();
