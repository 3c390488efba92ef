# Fits that are cancelled, or whose session is ended while threads work for it:
# no other session is, as all would be if the server crashed.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(usleep);

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init(extra => [ '--locale=C.UTF-8', '--encoding=UTF8' ]);
$node->start;

sub sql { return $node->safe_psql('postgres', shift); }

# Until threads work for a server process; where the system does not tell, at
# once.
sub wait_for_threads
{
	my $file = '/proc/' . shift . '/status';

	return unless -r $file;
	foreach (1 .. 10 * $PostgreSQL::Test::Utils::timeout_default)
	{
		return if slurp_file($file) =~ /^Threads:\s+(?!1$)\d+$/m;
		usleep(100_000);
	}
	die 'no threads';
}

my $columns = join ', ',
  map { "(hashint4(i * $_) % 1000)::int AS c$_" } 1 .. 40;
sql(qq{
	CREATE EXTENSION gensynth;
	CREATE TABLE t AS SELECT i AS a, 'b' || i % 3 AS b FROM generate_series(1, 200) AS i;
	SELECT FROM synth_fit('t', seed => 1);
	CREATE TABLE busy AS SELECT $columns FROM generate_series(1, 20000) AS i;
});

# A fit goes on until it is told to stop, however fast that is.
my %fit = (
	'reading the source' =>
	  "SELECT synth_fit('SELECT i, i % 1000 AS a FROM generate_series(1, 1000000000000) AS i', model => 't')",
	map {
		$_ =>
		  qq{SELECT count(synth_fit('busy', model => 't', method => '$_', options => '{"keep_versions": 9, "steps": 1000000000}')) FROM generate_series(1, 10000)}
	} qw(vae gan diffusion));
$fit{tree} =
  q{SELECT count(synth_fit('busy', model => 't', method => 'tree', options => '{"keep_versions": 9}')) FROM generate_series(1, 10000)};

foreach my $what (sort keys %fit)
{
	foreach my $how (qw(cancel terminate))
	{
		my $session = $node->background_psql('postgres', on_error_stop => 0);
		my $bystander = $node->background_psql('postgres');
		my $pid = $session->query_safe('SELECT pg_backend_pid()');

		$session->query_until(qr/begun/, "\\echo begun\n$fit{$what};\n\\echo ended\n");
		$node->poll_query_until('postgres',
			"SELECT state = 'active' FROM pg_stat_activity WHERE pid = $pid");
		wait_for_threads($pid) unless $what eq 'reading the source';
		sql("SELECT pg_${how}_backend($pid)");
		if ($how eq 'cancel')
		{
			$session->query_until(qr/ended/, "\n");
			like($session->{stderr}, qr/canceling statement due to user request/,
				"$what: cancelled");
			$session->quit;
		}
		else
		{
			ok($node->poll_query_until('postgres',
					"SELECT count(*) = 0 FROM pg_stat_activity WHERE pid = $pid"),
				"$what: the session is ended");
			eval { $session->quit };
		}
		is($bystander->query_safe('SELECT 1'), '1', 'no other session is');
		$bystander->quit;
	}
}
is(sql('SELECT version, current, source FROM synth_models'),
	'1|t|public.t', 'the version that was there still is');

$node->stop;
done_testing();
