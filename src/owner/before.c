/*
 * before.c
 *	  What a row takes over from the one before it, exactly.
 *
 * A balance is the last one and the amount, a line has the next number, a
 * reading comes a quarter of an hour after the last one, and where one period
 * ends the next begins.  What such columns were in the row before is known of
 * every row, as columns of the owner are: so dates are learned as differences
 * to it, and equations over it are conditions like those within a row.  They
 * are looked for in the first rows of the source.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "catalog/access.h"
#include "owner/before.h"

#define SEARCH_ROWS		20000	/* looked at */
#define MIN_PAIRS		30		/* rows that have one before, to tell by */
#define MIN_STEPS		12		/* the same, for times that never fall */
#define MOST			0.9		/* share of the rows, to be taken for a rule */
#define NEARLY_ALL		0.995
#define MAX_NUMBERS		16		/* columns looked at ... */
#define MAX_SIGNS		8		/* ... and categories */
#define MAX_LEVELS		32
#define RARE			5		/* rows that show a level, or a first value */

typedef struct Number
{
	const char *name;
	bool		moment;			/* a day or a time */
	bool		whole;
	double	   *value;			/* [nrows] NaN: NULL */
} Number;

/* A category that may say which way a number goes. */
typedef struct Sign
{
	const char *name;
	int			nlevels;
	char	   *level[MAX_LEVELS];
	int		   *code;			/* [nrows] -1: NULL, or one too many */
} Sign;

typedef struct Search
{
	GsOwners   *owners;
	int			nrows;
	bool	   *begins;			/* [nrows] an owner's first row */
	int			nnumbers;
	Number		number[MAX_NUMBERS];
	int			nsigns;
	Sign		sign[MAX_SIGNS];
} Search;

/* ------------------------------------------------------------- the rows */

static bool
is_number(Oid type)
{
	return type == INT2OID || type == INT4OID || type == INT8OID ||
		type == NUMERICOID || type == FLOAT4OID || type == FLOAT8OID;
}

static bool
is_moment(Oid type)
{
	return type == DATEOID || type == TIMESTAMPOID || type == TIMESTAMPTZOID;
}

/*
 * Adds a column to those looked at, if it is of a type that can tell.
 */
static void
add_column(Search *search, Oid relid, const char *name, StringInfo query)
{
	Oid			type = get_atttype(relid, get_attnum(relid, name));
	const char *quoted = quote_identifier(name);

	if ((is_number(type) || is_moment(type)) &&
		search->nnumbers < MAX_NUMBERS)
	{
		Number	   *number = &search->number[search->nnumbers++];

		number->name = name;
		number->moment = is_moment(type);
		number->whole = type == INT2OID || type == INT4OID || type == INT8OID;
		number->value = palloc(sizeof(double) * SEARCH_ROWS);
		if (number->moment)
			appendStringInfo(query, ", pg_catalog.date_part('epoch', c.%s)",
							 quoted);
		else
			appendStringInfo(query, ", c.%s::pg_catalog.float8", quoted);
	}
}

/*
 * The same for categories, after all numbers.
 */
static void
add_sign(Search *search, Oid relid, const char *name, StringInfo query)
{
	Oid			type = get_atttype(relid, get_attnum(relid, name));
	Sign	   *sign = &search->sign[search->nsigns];

	if ((type != TEXTOID && type != VARCHAROID && type != BPCHAROID &&
		 type != BOOLOID && type != INT2OID && type != INT4OID) ||
		search->nsigns == MAX_SIGNS)
		return;
	search->nsigns++;
	sign->name = name;
	sign->code = palloc(sizeof(int) * SEARCH_ROWS);
	appendStringInfo(query, ", c.%s::pg_catalog.text", quote_identifier(name));
}

static int
level_of(Sign *sign, const char *text, MemoryContext context)
{
	for (int l = 0; l < sign->nlevels; l++)
		if (strcmp(sign->level[l], text) == 0)
			return l;
	if (sign->nlevels == MAX_LEVELS)
		return -1;
	sign->level[sign->nlevels] = MemoryContextStrdup(context, text);
	return sign->nlevels++;
}

static void
read_rows(Search *search, const char *query, MemoryContext context)
{
	search->nrows = (int) gs_run(query, 0, NULL, NULL, NULL, true);
	search->begins = MemoryContextAlloc(context, Max(search->nrows, 1));
	for (int row = 0; row < search->nrows; row++)
	{
		bool		isnull;

		search->begins[row] = DatumGetBool(gs_result(row, 1, NULL));
		for (int i = 0; i < search->nnumbers; i++)
		{
			Datum		value = gs_result(row, 2 + i, &isnull);

			search->number[i].value[row] = isnull ? NAN :
				DatumGetFloat8(value);
		}
		for (int i = 0; i < search->nsigns; i++)
		{
			Datum		value = gs_result(row, 2 + search->nnumbers + i,
										  &isnull);

			search->sign[i].code[row] = isnull ? -1 :
				level_of(&search->sign[i], TextDatumGetCString(value),
						 context);
		}
	}
}

/* ------------------------------------------------------------ what holds */

/*
 * Whether a is b and c, but for what doubles do not hold.
 */
static bool
is_sum(double a, double b, double c)
{
	return fabs(a - b - c) <= 1e-11 * (fabs(a) + fabs(b) + fabs(c) + 1);
}

/* How a number goes on: rows that have one before, or that are the first. */
typedef struct Going
{
	int			n;				/* rows where it moves, or that could tell */
	int			up;				/* it is the last one and the other number */
	int			down;			/* ... without the other number */
	int			nfirst;
	int			first_up;		/* it is the other number itself */
	int			first_down;
} Going;

/*
 * Counts how x goes on by y; code: NULL, or the level of the rows that count.
 */
static Going
look_at(const Search *search, const Number *x, const Number *y,
		const int *code, int level)
{
	Going		going = {0};

	for (int row = 0; row < search->nrows; row++)
	{
		double		value = x->value[row];
		double		by = y->value[row];

		if (isnan(value) || isnan(by) || by == 0 ||
			(code != NULL && code[row] != level))
			continue;
		if (search->begins[row])
		{
			going.nfirst++;
			going.first_up += is_sum(value, 0, by);
			going.first_down += is_sum(value, 0, -by);
		}
		else if (!isnan(x->value[row - 1]))
		{
			going.n++;
			going.up += is_sum(value, x->value[row - 1], by);
			going.down += is_sum(value, x->value[row - 1], -by);
		}
	}
	return going;
}

/*
 * Notes that what a column was in the row before is known; returns its name.
 */
static const char *
know_before(Search *search, const char *name)
{
	GsOwners   *owners = search->owners;
	const char *end = " before";
	char	   *known;
	ListCell   *x;
	ListCell   *y;

	forboth(x, owners->before, y, owners->before_names)
		if (strcmp(lfirst(x), name) == 0)
			return lfirst(y);
	known = psprintf("%.*s%s", pg_mbcliplen(name, strlen(name),
											NAMEDATALEN - 1 -
											(int) strlen(end)), name, end);
	if (gs_is_named(owners->columns, known) ||
		gs_is_named(owners->before_names, known))
		return NULL;
	owners->before = lappend(owners->before, pstrdup(name));
	owners->before_names = lappend(owners->before_names, known);
	return known;
}

/*
 * The condition of levels at which a number goes down, as SQL; NULL where they
 * do not tell.
 */
static char *
falling_levels(const Search *search, const Number *x, const Number *y,
			   const Sign *sign)
{
	StringInfoData levels;
	int			n = 0;
	int			right = 0;

	initStringInfo(&levels);
	for (int l = 0; l < sign->nlevels; l++)
	{
		Going		going = look_at(search, x, y, sign->code, l);

		n += going.n;
		right += Max(going.up, going.down);
		if (going.down > going.up && going.n >= RARE)
			appendStringInfo(&levels, "%s%s " GS_EQ " %s",
							 levels.len > 0 ? " OR " : "",
							 quote_identifier(sign->name),
							 quote_literal_cstr(sign->level[l]));
	}
	return n > 0 && right >= MOST * n && levels.len > 0 ? levels.data : NULL;
}

/*
 * Takes x for what it was and y, or without y, if it is.
 */
static bool
find_sum(Search *search, const Number *x, const Number *y)
{
	Going		going = look_at(search, x, y, NULL, 0);
	int			most = Max(going.up, going.down);
	char	   *by = psprintf("COALESCE(%s, 0)", quote_identifier(y->name));
	const char *before;
	const char *last;

	if (going.n < MIN_PAIRS || going.up + going.down < MOST * going.n)
		return false;
	if (most < MOST * going.n)
	{
		char	   *levels = NULL;

		for (int i = 0; i < search->nsigns && levels == NULL; i++)
		{
			const Sign *sign = &search->sign[i];

			levels = falling_levels(search, x, y, sign);
			if (levels != NULL)
				by = psprintf("CASE WHEN %s THEN " GS_OP("-") " %s ELSE %s END",
							  levels, by, by);
		}
		if (levels == NULL)
			return false;
	}
	else if (going.down > going.up)
		by = psprintf(GS_OP("-") " %s", by);
	before = know_before(search, x->name);
	if (before == NULL)
		return false;
	last = quote_identifier(before);
	if (going.first_up + going.first_down >= MOST * Max(going.nfirst, 1))
		last = psprintf("COALESCE(%s, 0)", last);
	search->owners->conditions = lappend(search->owners->conditions,
										 psprintf("%s " GS_EQ " (%s " GS_PLUS " (%s))",
												  quote_identifier(x->name),
												  last, by));
	return true;
}

/*
 * Takes x for what y was in the row before, if it is.
 */
static bool
find_copy(Search *search, const Number *x, const Number *y)
{
	int			n = 0;
	int			same = 0;
	int			moves = 0;
	const char *before;

	for (int row = 1; row < search->nrows; row++)
	{
		if (search->begins[row] || isnan(x->value[row]) ||
			isnan(y->value[row - 1]))
			continue;
		n++;
		same += x->value[row] == y->value[row - 1];
		moves += x->value[row] != x->value[row - 1] &&
			x->value[row] != y->value[row];
	}
	if (n < MIN_PAIRS || same < MOST * n || moves < n / 2)
		return false;
	before = know_before(search, y->name);
	if (before == NULL)
		return false;
	search->owners->conditions = lappend(search->owners->conditions,
										 psprintf("%s " GS_EQ " %s",
												  quote_identifier(x->name),
												  quote_identifier(before)));
	return true;
}

/*
 * Whether a whole number counts the rows of each owner.
 */
static bool
find_count(Search *search, const Number *x)
{
	double		first = NAN;
	int			n = 0;
	int			nfirst = 0;
	int			steps = 0;
	int			same = 0;
	const char *before;

	for (int row = 0; row < search->nrows; row++)
	{
		double		value = x->value[row];

		if (isnan(value))
			return false;
		if (search->begins[row])
		{
			if (isnan(first))
				first = value;
			nfirst++;
			same += value == first;
		}
		else
		{
			n++;
			steps += value == x->value[row - 1] + 1;
		}
	}
	if (n < MIN_PAIRS || steps < NEARLY_ALL * n ||
		same < NEARLY_ALL * nfirst || nfirst < RARE)
		return false;
	before = know_before(search, x->name);
	if (before == NULL)
		return false;
	search->owners->conditions = lappend(search->owners->conditions,
										 psprintf("%s " GS_EQ " COALESCE(%s " GS_PLUS " 1, %.0f)",
												  quote_identifier(x->name),
												  quote_identifier(before),
												  first));
	return true;
}

/*
 * Whether moments go on by regular steps: of the same length, or of months.
 */
static bool
is_regular(const Search *search, const Number *x)
{
	static const double lengths[][2] = {{0, 0}, {28, 31}, {90, 92}, {365, 366}};
	double		step = NAN;
	int			n = 0;
	int			steps[lengthof(lengths)] = {0};

	for (int row = 1; row < search->nrows; row++)
	{
		double		by = x->value[row] - x->value[row - 1];

		if (search->begins[row] || isnan(by))
			continue;
		if (isnan(step))
			step = by;
		n++;
		steps[0] += by == step && by > 0;
		for (int i = 1; i < lengthof(lengths); i++)
			steps[i] += by >= lengths[i][0] * 86400 &&
				by <= lengths[i][1] * 86400;
	}
	for (int i = 0; i < lengthof(lengths); i++)
		if (n >= MIN_STEPS && steps[i] >= MOST * n)
			return true;
	return false;
}

/*
 * Whether a moment is never before that of y in the last row.
 */
static bool
never_falls(const Search *search, const Number *x, const Number *y)
{
	int			n = 0;

	for (int row = 1; row < search->nrows; row++)
	{
		if (search->begins[row] || isnan(x->value[row]) ||
			isnan(y->value[row - 1]))
			continue;
		if (x->value[row] < y->value[row - 1])
			return false;
		n++;
	}
	return n >= MIN_STEPS;
}

/*
 * Notes the last row's moments that the order's is never before.
 */
static void
find_order(Search *search, const Number *x)
{
	for (int i = 0; i < search->nnumbers; i++)
		if (search->number[i].moment &&
			never_falls(search, x, &search->number[i]))
			(void) know_before(search, search->number[i].name);
}

static void
find_numbers(Search *search)
{
	for (int i = 0; i < search->nnumbers; i++)
	{
		const Number *x = &search->number[i];
		bool		found = false;

		CHECK_FOR_INTERRUPTS();
		if (x->moment)
		{
			if (search->owners->order_by != NULL &&
				strcmp(search->owners->order_by, x->name) == 0)
			{
				find_order(search, x);
				search->owners->regular = is_regular(search, x);
			}
			else if (never_falls(search, x, x))
				(void) know_before(search, x->name);
			continue;
		}
		if (x->whole && find_count(search, x))
			continue;
		for (int j = 0; j < search->nnumbers && !found; j++)
		{
			const Number *y = &search->number[j];

			if (j == i || y->moment)
				continue;
			found = find_copy(search, x, y) || find_sum(search, x, y);
		}
	}
}

/*
 * gs_owners_find_before: notes in owners what rows take over from the one
 * before, in the current context.
 *
 * relid: the table of the rows, whose alias is c; rows, window: what they are
 * read from, and in which they follow each other, as SQL.  To be called within
 * an SPI connection.
 */
void
gs_owners_find_before(GsOwners *owners, Oid relid, const char *rows,
					  const char *window)
{
	MemoryContext context = CurrentMemoryContext;
	Search		search = {.owners = owners};
	StringInfoData query;
	ListCell   *cell;

	initStringInfo(&query);
	appendStringInfo(&query, "SELECT pg_catalog.row_number() OVER w " GS_EQ " 1");
	foreach(cell, owners->columns)
		add_column(&search, relid, lfirst(cell), &query);
	foreach(cell, owners->columns)
		add_sign(&search, relid, lfirst(cell), &query);
	if (search.nnumbers == 0)
		return;
	appendStringInfo(&query, " FROM %s WINDOW w AS (%s) LIMIT %d", rows,
					 window, SEARCH_ROWS);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	read_rows(&search, query.data, context);
	SPI_finish();
	MemoryContextSwitchTo(context);
	find_numbers(&search);
}
