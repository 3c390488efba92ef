#!/bin/bash
# Names in SQL that C code runs or writes, and in that of views: nothing is
# looked up by the search_path.  Operators are OPERATOR(pg_catalog.=) and so
# on, functions and types have a schema, and what looks an operator up without
# naming it (IN, BETWEEN, LIKE, IS DISTINCT FROM, CASE x WHEN ...) is written
# otherwise.  What is for people to read stands in errhint() or the like, or
# after the comment "shown, not run".  Prints TAP.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=test/lib/tap.bash
. test/lib/tap.bash

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# scan file...: "file:line: what", a line for each name that is not qualified.
cat > "$work/scan.pl" << 'PERL'
use strict;
use warnings;

# Words that a parenthesis may follow.
my %keyword = map { $_ => 1 } qw(SELECT FROM WHERE AND OR NOT IN VALUES ARRAY EXISTS COALESCE GREATEST LEAST GROUPING SETS FILTER LATERAL
	ANY ALL DISTINCT AS ON OPERATOR ROW CONFLICT BY OVER CHECK KEY UNIQUE WITH WHEN THEN ELSE CAST LIMIT TABLE JOIN
	RETURNING SET DEFAULT UNION PLACE);

sub blank { my $s = shift; $s =~ s/[^\n]/ /g; return $s; }

# What is wrong in a piece of SQL, as pairs of an offset and a text.
sub violations {
	my $sql = shift;
	my @found;

	$sql =~ s/('(?:[^']|'')*')/"'" . ' ' x (length($1) - 2) . "'"/ges;
	$sql =~ s/("(?:[^"]|"")*")/'_' x length($1)/ges;
	# formats stand for names and numbers
	$sql =~ s/(%(?:ll|l|\.\d)?[sduILf])/'X' x length($1)/ge;
	# what a type is made of: INPUT = ...
	$sql =~ s/(\bCREATE TYPE [\w.]+ \()([^)]*)/$1 . blank($2)/ge;
	# what an UPDATE sets: column = ...
	$sql =~ s/\b(SET\b)(.*?)(?=\bWHERE\b|\bRETURNING\b|\z)/$1 . assignments($2)/ges if $sql =~ /\bUPDATE\b/;
	$sql =~ s/(OPERATOR\(pg_catalog\.[^\s()]+\))/' ' x length($1)/ge;
	$sql =~ s/\(\*\)/( )/g;
	$sql =~ s/(?<=[A-Za-z_]\.)\*/ /g;
	$sql =~ s/(?<=\s)\*(?=\s+FROM\b)/ /g;
	$sql =~ s/((?<![\w)])\s-(?=\d))/' ' x length($1)/ge;
	while ($sql =~ m{(::|(?:=>|:=)|[=<>+\-*/~!@#%^&|?]+)\s*}g) {
		my ($op, $at) = ($1, $-[0]);
		next if $op eq '=>' || $op eq ':=';
		if ($op ne '::') { push @found, [$at, "operator $op"]; next; }
		push @found, [$at, "type after ::"] if substr($sql, $at + 2) !~ /^(?:pg_catalog\.|gensynth\.|X)/;
	}
	while ($sql =~ /\b(IN(?=\s*\()|BETWEEN|I?LIKE|SIMILAR|NULLIF|IS\s+(?:NOT\s+)?DISTINCT|CASE(?!\s+WHEN\b)|NATURAL|USING(?=\s*\())\b/g) {
		push @found, [$-[0], "\L$1\E looks an operator up"];
	}
	while ($sql =~ /(?<![\w.\$])([A-Za-z_]\w*)\s*\(/g) {
		my ($name, $at) = ($1, $-[0]);
		next if $keyword{$name} || $name =~ /^X+$/;
		# an alias with its columns
		next if substr($sql, 0, $at) =~ /\b(?:AS|INTO|TABLE)\s+$/;
		push @found, [$at, "function $name()"] if $name !~ /^_+$/;
	}
	return sort { $a->[0] <=> $b->[0] } @found;
}

sub assignments {
	my $list = shift;
	my $depth = 0;
	my $start = 1;
	my $out = '';

	while ($list =~ /\G(.)/gs) {
		my $c = $1;
		$depth++ if $c eq '(';
		$depth-- if $c eq ')';
		if ($c eq ',' && $depth == 0) { $start = 1; }
		elsif ($c eq '=' && $depth == 0 && $start) { $c = ','; $start = 0; }
		$out .= $c;
	}
	return $out;
}

sub report {
	my ($file, $sql, $lines) = @_;

	for my $v (violations($sql)) {
		printf "%s:%d: %s\n", $file, $lines->[$v->[0]] // $lines->[-1], $v->[1];
	}
}

# Whether a literal is a piece of SQL.
sub is_sql {
	return $_[0] =~ /\b(?:SELECT|INSERT INTO|UPDATE|DELETE FROM|FROM|WHERE|JOIN|VALUES|FILTER|(?:ORDER|GROUP) BY|NULL|CASE|COALESCE|EXISTS|OPERATOR)\b/
		|| $_[0] =~ /(?:^|\s)(?:=|<>|<=|>=|<|>)\s+(?:%s|\$\d)/;
}

# The literals of a C file; adjacent ones are one, whatever macros are between.
sub scan_c {
	my ($file, $text) = @_;
	my ($sql, @lines) = ('');
	my $line = 1;
	my $skip = 0;		# parentheses of errmsg() and the like that are open; -1 before the first, -2 up to a semicolon
	my $flush = sub { report($file, $sql, \@lines) if is_sql($sql); ($sql, @lines) = (''); };
	my $add = sub { $sql .= $_[0]; push @lines, ($line) x length $_[0]; };

	$text =~ s{/\* shown, not run \*/}{  shown_not_run    }g;
	$text =~ s{(/\*.*?\*/)}{blank($1)}ges;
	$text =~ s/\\\n/ \n/g;
	while ($text =~ /\G(?:(\n)|([ \t]+)|"((?:[^"\\\n]|\\.)*)"|('(?:[^'\\]|\\.)+')|(GS_OP)\("([^"]+)"\)|(\w+)|(.))/gs) {
		my ($nl, $space, $literal, $char, $op, $opname, $word, $other) = ($1, $2, $3, $4, $5, $6, $7, $8);

		if (defined $nl) { $line++; }
		elsif (defined $space) { }
		elsif (defined $literal) {
			next if $skip;
			$literal =~ s/\\n/\n/g;
			$literal =~ s/\\(.)/$1/g;
			$add->($literal);
		}
		elsif (defined $op) { $add->("OPERATOR(pg_catalog.$opname)") unless $skip; }
		elsif (defined $word && $word =~ /^GS_(EQ|NE|PLUS)$/) { $add->('OPERATOR(pg_catalog.=)') unless $skip; }
		# the value of another macro is looked at where it is defined
		elsif (defined $word && $word =~ /^[A-Z][A-Z0-9_]+$/ && $sql ne '') { $add->(' X '); }
		else {
			$flush->();
			if (defined $word && $word eq 'shown_not_run') { $skip = -2; }
			elsif ($skip == -2) { $skip = 0 if defined $other && $other eq ';'; }
			elsif (defined $word && $word =~ /^(?:err(?:msg|detail|hint|context)\w*|elog|gs_corrupted)$/ && !$skip) { $skip = -1; }
			elsif (defined $other && $skip) {
				$skip = $skip == -1 ? 1 : $skip + 1 if $other eq '(';
				$skip-- if $other eq ')' && $skip > 0;
			}
		}
	}
	$flush->();
}

# Statements of a SQL file, all but comments and the heads of functions.
sub scan_sql {
	my ($file, $text) = @_;

	$text =~ s{(/\*.*?\*/)}{blank($1)}ges;
	$text =~ s/^(--.*)$/blank($1)/gme;
	while ($text =~ /\G\s*((?:[^;'\$]|'(?:[^']|'')*'|\$\$.*?\$\$|\$)+);?/gs) {
		my ($statement, $at) = ($1, $-[1]);
		my $line = 1 + (substr($text, 0, $at) =~ tr/\n//);

		next if $statement =~ /^COMMENT/;
		if ($statement =~ /^CREATE (?:OR REPLACE )?(?:FUNCTION|PROCEDURE)/) {
			next if $statement !~ /LANGUAGE sql/i;
			next if $statement !~ /\$\$(.*?)\$\$|\bAS\s+'((?:[^']|'')*)'/s;
			my $body = $1 // $2;
			$line += (substr($statement, 0, $-[defined $1 ? 1 : 2]) =~ tr/\n//);
			$statement = $body;
		}
		my @lines;
		for my $c (split //, $statement) { push @lines, $line; $line++ if $c eq "\n"; }
		report($file, $statement, \@lines);
	}
}

for my $file (@ARGV) {
	open my $in, '<', $file or die "$file: $!";
	local $/;
	my $text = <$in>;
	if ($file =~ /\.sql$/) { scan_sql($file, $text); } else { scan_c($file, $text); }
}
PERL

scan() { perl "$work/scan.pl" "$@"; }

# It finds what it is to find.
cat > "$work/bad.c" << 'END'
	gs_run("SELECT a FROM gensynth.models"
		   " WHERE name = $1");
	psprintf("SELECT count(*) FROM %s", name);
	gs_run("SELECT 1::int4 FROM x WHERE a IN (1, 2)"
		   " AND b IS NOT DISTINCT FROM $1");
	gs_run("UPDATE t SET a = b + 1 WHERE c " GS_EQ " $1");
	gs_run("SELECT CASE a WHEN b THEN c END FROM t");
	appendStringInfo(&query, "%s = $1", name);
	errhint("SELECT lower(a) = b FROM t");
	gs_run("SELECT pg_catalog.max(%s)::pg_catalog.int8 AS t(a) FROM t WHERE a " GS_OP("<") " -1 AND b = 'x' -- c");
END
is "$(scan "$work/bad.c" | sed "s|$work/||")" 'bad.c:2: operator =
bad.c:3: function count()
bad.c:4: type after ::
bad.c:4: in looks an operator up
bad.c:5: is not distinct looks an operator up
bad.c:6: operator +
bad.c:7: case looks an operator up
bad.c:8: operator =
bad.c:10: operator =
bad.c:10: operator --' 'bare names in C are found'
cat > "$work/bad.sql" << 'END'
CREATE VIEW v AS
SELECT a FROM t WHERE b = 1;
COMMENT ON VIEW v IS 'a = b';
CREATE FUNCTION f(a int DEFAULT 1) RETURNS int LANGUAGE C AS 'MODULE_PATHNAME', 'f';
CREATE FUNCTION g() RETURNS int LANGUAGE sql AS $$
	SELECT lower('a')
$$;
END
is "$(scan "$work/bad.sql" | sed "s|$work/||")" 'bad.sql:2: operator =
bad.sql:6: function lower()' 'and in SQL'

is "$(scan src/*/*.c src/*/*/*.c src/*.c src/*/*.h)" '' 'names in the SQL of C code'
is "$(scan src/*/*.sql)" '' 'names in the SQL of the extension'

echo "1..$n"
exit "$failed"
