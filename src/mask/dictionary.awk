# Makes constant arrays of data/*.tsv, for dictionary.c: LC_ALL=C awk -f ...
#
# A line is a group (a locale, and perhaps a sex), a weight, and fields, which
# become strings one behind the other.  Offsets instead of pointers: nothing to
# relocate when the library is loaded.

BEGIN {
	FS = "\t"
	print "/* made by dictionary.awk */"
	print "#include \"mask/dictionary.h\""
}

FNR == 1 {
	finish()
	name = FILENAME
	sub(/.*\//, "", name)
	sub(/\.tsv$/, "", name)
	at = rows = groups = 0
	key = ""
	printf "\nstatic const char %s_text[] =", name
}

$1 != key {
	key = $1
	first[++groups] = rows
	split(key, part, " ")
	locale[groups] = toupper(part[1])
	sex[groups] = part[2] == "" ? "x" : part[2]
	sum = 0
}

{
	sum += $2
	upto[rows] = sum
	offset[rows] = at
	rows++
	line = ""
	for (i = 3; i <= NF; i++)
	{
		at += length($i) + 1
		gsub(/["\\]/, "\\\\&", $i)
		line = line " \"" $i "\\0\""
	}
	printf "\n\t%s", line
}

END {
	finish()
}

function finish(    i)
{
	if (name == "")
		return
	printf ";\n\nstatic const GsDataRow %s_rows[] = {", name
	for (i = 0; i < rows; i++)
		printf "%s{%d, %d},", i % 6 == 0 ? "\n\t" : " ", offset[i], upto[i]
	printf "\n};\n\nstatic const GsDataGroup %s_groups[] = {\n", name
	first[groups + 1] = rows
	for (i = 1; i <= groups; i++)
		printf "\t{GS_LOCALE_%s, '%s', %d, %d},\n", locale[i], sex[i], first[i], first[i + 1] - first[i]
	printf "};\n\nconst GsData gs_data_%s = {\n\t%s_text, %s_rows, %s_groups, %d\n};\n", name, name, name, name, groups
}
