/*
 * notation_formats.c
 *	  Formats of dates and times that are kept as numbers or as texts: which
 *	  there are.
 */
#include "postgres.h"

#include "catalog/pg_type.h"

#include "codec/notation_internal.h"

/* Of names that begin alike, the longest comes first. */
static const struct
{
	const char *name;
	Field		field;
}			fields[] = {
	{"epoch ms rounded", FIELD_EPOCH_MS_ROUNDED},
	{"epoch ms", FIELD_EPOCH_MS}, {"epoch rounded", FIELD_EPOCH_ROUNDED},
	{"epoch", FIELD_EPOCH}, {"excel day", FIELD_EXCEL_DAY},
	{"unix day", FIELD_UNIX_DAY}, {"J", FIELD_JULIAN_DAY},
	{"IYYY", FIELD_ISO_YEAR}, {"MS", FIELD_MILLI}, {"US", FIELD_MICRO},
	{"YYYY", FIELD_YEAR}, {"YY", FIELD_YEAR2},
	{"FMMonth", FIELD_MONTH_NAME}, {"FMMM", FIELD_MONTH_SHORT},
	{"MM", FIELD_MONTH}, {"MI", FIELD_MINUTE}, {"MON", FIELD_MON_UPPER},
	{"Mon", FIELD_MON}, {"FMDay", FIELD_DAY_NAME},
	{"FMDD", FIELD_DAY_SHORT}, {"DDD", FIELD_DAY_OF_YEAR},
	{"DD", FIELD_DAY}, {"Dy", FIELD_DAY_ABBREVIATED},
	{"FMHH24", FIELD_HOUR_SHORT}, {"HH24", FIELD_HOUR},
	{"SS", FIELD_SECOND}, {"Q", FIELD_QUARTER}, {"IW", FIELD_WEEK},
	{"ID-1", FIELD_MONDAY_0}, {"ID", FIELD_MONDAY_1},
	{"D-1", FIELD_SUNDAY_0}, {"D", FIELD_SUNDAY_1}
};

/*
 * Stored models count on the order: new ones come last.  Of formats that read
 * all of a column alike, the first is taken.
 */
static const struct
{
	const char *name;
	int			kinds;
}			formats[] = {
	{"YYYYMMDD", NUMBER | TEXT}, {"DDMMYYYY", NUMBER | TEXT},
	{"MMDDYYYY", NUMBER | TEXT}, {"YYYYMM", NUMBER | TEXT},
	{"YYYYDDD", NUMBER | TEXT}, {"YYMMDD", NUMBER | TEXT},
	{"DDMMYY", NUMBER | TEXT}, {"HH24MISS", NUMBER | TEXT},
	{"HH24MI", NUMBER | TEXT}, {"YYYYMMDDHH24MISS", NUMBER | TEXT},
	{"YYYYMMDDHH24MI", NUMBER | TEXT},
	{"YYYY-MM-DD", TEXT}, {"DD/MM/YYYY", TEXT}, {"MM/DD/YYYY", TEXT},
	{"DD.MM.YYYY", TEXT}, {"YYYY/MM/DD", TEXT}, {"YYYY.MM.DD", TEXT},
	{"DD-MM-YYYY", TEXT}, {"MM-DD-YYYY", TEXT}, {"FMDD/FMMM/YYYY", TEXT},
	{"FMMM/FMDD/YYYY", TEXT}, {"FMDD.FMMM.YYYY", TEXT},
	{"YYYY-FMMM-FMDD", TEXT}, {"YYYY/FMMM/FMDD", TEXT},
	{"DD/MM/YY", TEXT}, {"MM/DD/YY", TEXT}, {"FMDD/FMMM/YY", TEXT},
	{"FMMM/FMDD/YY", TEXT}, {"DD.MM.YY", TEXT}, {"DD-Mon-YYYY", TEXT},
	{"DD-MON-YYYY", TEXT}, {"DD-Mon-YY", TEXT}, {"DD-MON-YY", TEXT},
	{"DD Mon YYYY", TEXT}, {"DDMONYYYY", TEXT}, {"FMDD Mon YYYY", TEXT},
	{"Mon DD, YYYY", TEXT}, {"Mon FMDD, YYYY", TEXT},
	{"FMMonth FMDD, YYYY", TEXT}, {"FMDD FMMonth YYYY", TEXT},
	{"YYYY-MM", TEXT}, {"YYYY/MM", TEXT}, {"MM/YYYY", TEXT},
	{"MM-YYYY", TEXT}, {"MM.YYYY", TEXT}, {"Mon YYYY", TEXT},
	{"Mon-YYYY", TEXT}, {"Mon-YY", TEXT}, {"FMMonth YYYY", TEXT},
	{"HH24:MI", TEXT}, {"HH24:MI:SS", TEXT}, {"FMHH24:MI", TEXT},
	{"YYYY-MM-DD HH24:MI:SS", TEXT}, {"YYYY-MM-DD\"T\"HH24:MI:SS", TEXT},
	{"YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"", TEXT}, {"YYYY-MM-DD HH24:MI", TEXT},
	{"YYYY-MM-DD\"T\"HH24:MI", TEXT}, {"YYYY/MM/DD HH24:MI:SS", TEXT},
	{"YYYY/MM/DD HH24:MI", TEXT}, {"DD/MM/YYYY HH24:MI", TEXT},
	{"MM/DD/YYYY HH24:MI", TEXT}, {"DD/MM/YYYY HH24:MI:SS", TEXT},
	{"MM/DD/YYYY HH24:MI:SS", TEXT}, {"DD.MM.YYYY HH24:MI", TEXT},
	{"DD.MM.YYYY HH24:MI:SS", TEXT}, {"FMMM/FMDD/YYYY FMHH24:MI", TEXT},
	{"FMDD/FMMM/YYYY FMHH24:MI", TEXT},

	/* those that follow from others */
	{"YYYY", NUMBER | TEXT}, {"MM", NUMBER | TEXT}, {"FMMM", TEXT},
	{"DD", NUMBER | TEXT}, {"FMDD", TEXT}, {"DDD", NUMBER},
	{"HH24", NUMBER | TEXT}, {"FMHH24", TEXT}, {"MI", NUMBER | TEXT},
	{"SS", NUMBER | TEXT}, {"Q", NUMBER | TEXT}, {"ID", NUMBER | TEXT},
	{"D", NUMBER | TEXT}, {"ID-1", NUMBER | TEXT}, {"D-1", NUMBER | TEXT},
	{"IW", NUMBER | TEXT}, {"YY", NUMBER | TEXT}, {"Mon", TEXT},
	{"MON", TEXT}, {"FMMonth", TEXT}, {"FMDay", TEXT}, {"Dy", TEXT},
	{"YYYYQ", NUMBER}, {"YYYY-\"Q\"Q", TEXT}, {"YYYY\"Q\"Q", TEXT},
	{"YYYY \"Q\"Q", TEXT}, {"\"Q\"Q YYYY", TEXT}, {"\"Q\"Q", TEXT},
	{"date", DATE}, {"time", TIME}, {"month", DATE}, {"month end", DATE},
	{"quarter", DATE}, {"quarter end", DATE}, {"year", DATE}, {"week", DATE},

	{"YYYY-MM-DD HH24:MI:SS.MS", TEXT}, {"YYYY-MM-DD HH24:MI:SS.US", TEXT},
	{"YYYY-MM-DD\"T\"HH24:MI:SS.MS", TEXT},
	{"YYYY-MM-DD\"T\"HH24:MI:SS.US", TEXT},
	{"IYYYIW", NUMBER | TEXT}, {"IYYY-\"W\"IW", TEXT},
	{"IYYY\"W\"IW", TEXT}, {"IYYY-IW", TEXT}, {"IYYY", NUMBER | TEXT},
	{"\"W\"IW", TEXT}, {"epoch", TEXT}, {"epoch ms", TEXT},
	{"epoch rounded", TEXT}, {"epoch ms rounded", TEXT},
	{"excel day", NUMBER | TEXT}, {"unix day", NUMBER | TEXT},
	{"J", NUMBER | TEXT}, {"\"FY\"YYYY", TEXT}, {"\"FY\"YY", TEXT},
	{"\"FY\"YYYY-\"Q\"Q", TEXT}, {"timestamp", STAMP}
};

static Compiled compiled[lengthof(formats)];

/*
 * gs_notation_compile: a format, taken apart.
 */
const Compiled *
gs_notation_compile(int format)
{
	Compiled   *to = &compiled[format];
	bool		quoted = false;

	if (to->n > 0)
		return to;
	to->name = formats[format].name;
	to->kinds = formats[format].kinds;
	for (const char *at = to->name; *at != '\0';)
	{
		int			f = quoted ? lengthof(fields) : 0;

		if (*at == '"')
		{
			quoted = !quoted;
			at++;
			continue;
		}
		while (f < lengthof(fields) &&
			   strncmp(at, fields[f].name, strlen(fields[f].name)) != 0)
			f++;
		if (f < lengthof(fields))
		{
			to->token[to->n++] = (Token) {fields[f].field, 0};
			to->has[fields[f].field] = true;
			at += strlen(fields[f].name);
		}
		else
			to->token[to->n++] = (Token) {-1, *at++};
	}
	return to;
}

/*
 * gs_notation_count: how many formats there are; each is told by its number,
 * from 0.
 */
int
gs_notation_count(void)
{
	return lengthof(formats);
}

/*
 * gs_notation_name: a format as to_char() has it.
 */
const char *
gs_notation_name(int format)
{
	return gs_notation_compile(format)->name;
}

/*
 * gs_notation_fits: whether values of a kind may be written in a format.
 */
bool
gs_notation_fits(int format, const GsCodecKind *kind)
{
	if (kind->content == GS_CONTENT_TEXT)
		return gs_notation_compile(format)->kinds & TEXT;
	if (gs_notation_compile(format)->kinds & PLAIN)
		return kind->types[0] ==
			(gs_notation_compile(format)->kinds & DATE ? DATEOID :
			 gs_notation_compile(format)->kinds & TIME ? TIMEOID : TIMESTAMPOID);
	return kind->content == GS_CONTENT_NUMBERS &&
		(gs_notation_compile(format)->kinds & NUMBER) && kind->nparts == 1 &&
		kind->axis == GS_AXIS_NUMBER && kind->part[0].lane != GS_LANE_FLOAT;
}

/*
 * gs_notation_is_ordered: whether the values that a format writes are in the
 * order of what they count.
 */
bool
gs_notation_is_ordered(int format)
{
	return gs_notation_is_epoch(format) ||
		strncmp(gs_notation_compile(format)->name, "YYYY", 4) == 0 ||
		strncmp(gs_notation_compile(format)->name, "HH24", 4) == 0 ||
		(gs_notation_compile(format)->kinds & PLAIN) != 0;
}
