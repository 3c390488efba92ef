/*
 * report.c
 *	  synth_mask_report: what masking has done to a table: how much was
 *	  changed, what is left of how columns go together, and whether rows can
 *	  still be told by all that they hold.
 *
 * Both relations are read as the caller, a sample of them where they are
 * large.  Rows are matched by the primary key of the source, where that was
 * kept.
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "access/sysattr.h"
#include "access/table.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "catalog/access.h"
#include "catalog/strange.h"
#include "compat.h"
#include "mask/label.h"
#include "mask/mask_plan.h"
#include "table/source.h"

#define MAX_ROWS	50000		/* that are looked at, about */
#define BINS		10			/* of numbers */
#define LEVELS		20			/* of others; and one for the rest */
#define MAX_CODES	(LEVELS + 2)
#define TRIES		1000		/* rows that are looked for ... */
#define AMONG		10000		/* ... among so many */

/* A column of both relations: numbers, or hashes of texts; NaN for NULL. */
typedef struct Column
{
	char	   *name;
	char	   *rule;			/* or NULL */
	bool		number;
	bool		masked;
	bool		grouped;		/* has codes that say something */
	double	   *value[2];		/* of source and masked */
	uint8	   *code[2];
	double		range;
} Column;

typedef struct Report
{
	Oid			relid[2];
	int			ncolumns;
	Column	   *columns;
	int64	   *key[2];			/* hashes of keys, in order */
	int			n[2];
	int			room[2];
	bool		matched;		/* rows of both sides are the same ones */
	int			side;			/* that is being read */
	MemoryContext context;
} Report;

static int
compare_doubles(const void *a, const void *b)
{
	double		x = *(const double *) a;
	double		y = *(const double *) b;

	/* NaN goes last */
	if (isnan(x) || isnan(y))
		return (int) isnan(x) - (int) isnan(y);
	return (x > y) - (x < y);
}

static char *
name_of(Oid relid)
{
	return gs_relation_name(relid, NULL);
}

/* The columns of the source's primary key, if both have them; else NULL. */
static Bitmapset *
shared_key(const Report *report)
{
	Oid			relid = report->relid[0];
	Relation	relation = table_open(relid, AccessShareLock);
	Bitmapset  *key = bms_copy(RelationGetIndexAttrBitmap(relation,
														  INDEX_ATTR_BITMAP_PRIMARY_KEY));
	int			at = -1;

	table_close(relation, AccessShareLock);
	while ((at = bms_next_member(key, at)) >= 0)
		if (get_attnum(report->relid[1],
					   get_attname(relid, at + FirstLowInvalidHeapAttributeNumber,
								   false)) <= 0)
			return NULL;
	return key;
}

/* An expression for a value that can be compared, as float8. */
static char *
as_number(Oid type, const char *column, bool *number)
{
	*number = true;
	switch (getBaseType(type))
	{
		case INT2OID:
		case INT4OID:
		case INT8OID:
		case FLOAT4OID:
		case FLOAT8OID:
		case NUMERICOID:
			return psprintf("t.%s::pg_catalog.float8", column);
		case DATEOID:
		case TIMESTAMPOID:
		case TIMESTAMPTZOID:
			return psprintf("pg_catalog.date_part('epoch', t.%s::pg_catalog.timestamptz)",
							column);
		default:
			*number = false;
			/* 52 bits are whole in a double */
			return psprintf("(pg_catalog.hashtextextended(%s, 0) "
							GS_OP(">>") " 12)::pg_catalog.float8",
							gs_as_text(psprintf("t.%s", column), type));
	}
}

static void
take_row(TupleTableSlot *slot, void *arg)
{
	Report	   *report = arg;
	int			side = report->side;
	int			row = report->n[side];
	MemoryContext old;

	if (row == report->room[side])
	{
		old = MemoryContextSwitchTo(report->context);
		report->room[side] *= 2;
		report->key[side] = repalloc_huge(report->key[side],
										  report->room[side] * sizeof(int64));
		for (int c = 0; c < report->ncolumns; c++)
			report->columns[c].value[side] =
				repalloc_huge(report->columns[c].value[side],
							  report->room[side] * sizeof(double));
		MemoryContextSwitchTo(old);
	}
	report->key[side][row] = slot->tts_isnull[0] ? 0 :
		DatumGetInt64(slot->tts_values[0]);
	for (int c = 0; c < report->ncolumns; c++)
		report->columns[c].value[side][row] = slot->tts_isnull[c + 1] ? NAN :
			DatumGetFloat8(slot->tts_values[c + 1]);
	report->n[side]++;
}

/* Rows whose key's hash is a multiple of step, in its order. */
static void
read_side(Report *report, int side, const char *key, int64 step)
{
	StringInfoData query;
	bool		number;

	report->side = side;
	report->room[side] = 1024;
	report->key[side] = palloc(report->room[side] * sizeof(int64));
	initStringInfo(&query);
	appendStringInfo(&query, "SELECT %s", key);
	for (int c = 0; c < report->ncolumns; c++)
	{
		Column	   *column = &report->columns[c];
		Oid			relid = report->relid[side];

		column->value[side] = palloc(report->room[side] * sizeof(double));
		appendStringInfo(&query, ", %s",
						 as_number(get_atttype(relid,
											   get_attnum(relid, column->name)),
								   quote_identifier(column->name), &number));
	}
	appendStringInfo(&query, " FROM %s AS t WHERE %s " GS_OP("%%") " "
					 INT64_FORMAT " " GS_EQ " 0 ORDER BY 1",
					 name_of(report->relid[side]), key, step);
	gs_query_read(query.data, take_row, report);
}

/* The expression that rows are matched and sampled by. */
static char *
key_expression(Oid relid, const Bitmapset *key)
{
	StringInfoData text;
	int			at = -1;

	initStringInfo(&text);
	appendStringInfoString(&text, "pg_catalog.hashtextextended(ROW(");
	if (key == NULL)
		appendStringInfoString(&text, "t");
	while ((at = bms_next_member(key, at)) >= 0)
		appendStringInfo(&text, "%st.%s", text.data[text.len - 1] == '(' ? "" :
						 ", ", quote_identifier(get_attname(relid, at +
															FirstLowInvalidHeapAttributeNumber,
															false)));
	appendStringInfoString(&text, ")::pg_catalog.text, 0)");
	return text.data;
}

/* Keeps the rows that both sides have, if these are most. */
static void
match_rows(Report *report)
{
	int			i = 0;
	int			j = 0;
	int			n = 0;

	for (int same = 0; i < report->n[0] && j < report->n[1];)
	{
		same = (report->key[0][i] > report->key[1][j]) -
			(report->key[0][i] < report->key[1][j]);
		n += same == 0;
		i += same <= 0;
		j += same >= 0;
	}
	report->matched = n > 0 && n >= report->n[0] / 2;
	if (!report->matched)
		return;
	n = i = j = 0;
	while (i < report->n[0] && j < report->n[1])
	{
		if (report->key[0][i] == report->key[1][j])
		{
			for (int c = 0; c < report->ncolumns; c++)
			{
				Column	   *column = &report->columns[c];

				column->value[0][n] = column->value[0][i];
				column->value[1][n] = column->value[1][j];
			}
			n++;
			i++;
			j++;
		}
		else if (report->key[0][i] < report->key[1][j])
			i++;
		else
			j++;
	}
	report->n[0] = report->n[1] = n;
}

static bool
is_same(double a, double b)
{
	return a == b || (isnan(a) && isnan(b));
}

static double *
sorted(const double *values, int n)
{
	double	   *copy = palloc_extended(Max(n, 1) * sizeof(double),
									   MCXT_ALLOC_HUGE);

	memcpy(copy, values, n * sizeof(double));
	qsort(copy, n, sizeof(double), compare_doubles);
	return copy;
}

static int
count_present(const double *values, int n)
{
	while (n > 0 && isnan(values[n - 1]))
		n--;
	return n;
}

/* How many values from i on are the same. */
static int
run_length(const double *values, int i, int n)
{
	int			end = i;

	while (end < n && values[end] == values[i])
		end++;
	return end - i;
}

static int
count_distinct(const double *values, int n)
{
	int			distinct = 0;

	for (int i = 0; i < n; i += run_length(values, i, n))
		distinct++;
	return distinct;
}

/* Rows that would be equal if masked values went to rows by chance. */
static double
equal_by_chance(const double *a, int n, const double *b, int m)
{
	double		sum = 0;
	int			i = 0;
	int			j = 0;

	while (i < n && j < m)
	{
		int			k = run_length(a, i, n);
		int			l = run_length(b, j, m);

		double		x = a[i];
		double		y = b[j];

		if (x == y)
			sum += (double) k * l;
		i += x <= y ? k : 0;
		j += y <= x ? l : 0;
	}
	return sum;
}

/* A level and how many rows have it. */
typedef struct Level
{
	double		value;
	int			n;
} Level;

static int
compare_levels(const void *a, const void *b)
{
	return ((const Level *) b)->n - ((const Level *) a)->n;
}

/* The edges of a number's bins, or the levels of another column. */
static int
find_codes(Column *column, const double *values, int n, double *edge)
{
	Level	   *levels;
	int			nlevels = 0;
	int			covered = 0;
	int			kept;

	column->grouped = n > 0;
	if (column->number)
	{
		for (int b = 1; b < BINS; b++)
			edge[b - 1] = n > 0 ? values[(int) ((int64) n * b / BINS)] : 0;
		return BINS - 1;
	}
	levels = palloc_extended(Max(n, 1) * sizeof(Level), MCXT_ALLOC_HUGE);
	for (int i = 0; i < n; i += levels[nlevels++].n)
		levels[nlevels] = (Level) {values[i], run_length(values, i, n)};
	qsort(levels, nlevels, sizeof(Level), compare_levels);
	kept = Min(nlevels, LEVELS);
	for (int l = 0; l < kept; l++)
	{
		edge[l] = levels[l].value;
		covered += levels[l].n;
	}
	column->grouped = covered * 2 > n;
	pfree(levels);
	return kept;
}

static uint8
code_of(const Column *column, double value, const double *edge, int nedges)
{
	int			code = 0;

	if (isnan(value))
		return MAX_CODES - 1;
	if (column->number)
		while (code < nedges && value >= edge[code])
			code++;
	else
		while (code < nedges && value != edge[code])
			code++;
	return (uint8) code;
}

static void
group_column(Report *report, Column *column)
{
	double		edge[LEVELS];
	double	   *values = sorted(column->value[0], report->n[0]);
	int			n = count_present(values, report->n[0]);
	int			nedges = find_codes(column, values, n, edge);

	column->range = n > 0 ? values[n - 1] - values[0] : 0;
	for (int side = 0; side < 2; side++)
	{
		column->code[side] = palloc_extended(Max(report->n[side], 1),
											 MCXT_ALLOC_HUGE);
		for (int i = 0; i < report->n[side]; i++)
			column->code[side][i] = code_of(column, column->value[side][i],
											edge, nedges);
	}
	pfree(values);
}

/* Half the sum of differences between shares of pairs of values. */
static double
pair_error(const Report *report, const Column *a, const Column *b)
{
	double		share[2][MAX_CODES * MAX_CODES] = {{0}};
	double		sum = 0;

	for (int side = 0; side < 2; side++)
		for (int i = 0; i < report->n[side]; i++)
			share[side][a->code[side][i] * MAX_CODES + b->code[side][i]] +=
				1.0 / report->n[side];
	for (int k = 0; k < MAX_CODES * MAX_CODES; k++)
		sum += fabs(share[0][k] - share[1][k]);
	return sum / 2;
}

/* The mean of a masked column's pairs, in per cent; NaN if it has none. */
static double
trend_error(const Report *report, const Column *column)
{
	double		sum = 0;
	int			n = 0;

	for (int c = 0; c < report->ncolumns && column->grouped; c++)
	{
		const Column *other = &report->columns[c];

		CHECK_FOR_INTERRUPTS();
		if (other == column || !other->grouped)
			continue;
		sum += pair_error(report, column, other);
		n++;
	}
	return n > 0 ? 100 * sum / n : NAN;
}

/* Gower's distance between a masked row and one of the source. */
static double
distance(const Report *report, int kept, int masked, int original)
{
	double		sum = 0;

	for (int c = 0; c < report->ncolumns; c++)
	{
		const Column *column = &report->columns[c];
		double		a = column->value[1][column->masked ? masked : kept];
		double		b = column->value[0][original];

		if (is_same(a, b))
			continue;
		sum += !column->number || isnan(a) || isnan(b) || !(column->range > 0) ?
			1 : Min(fabs(a - b) / column->range, 1);
	}
	return sum;
}

/*
 * The share of masked rows whose nearest row of the source is their own, by
 * all columns that are compared.  shift: masked columns are those of the row
 * so much further on.
 */
static double
reidentified(const Report *report, int shift)
{
	int			n = Min(report->n[0], AMONG);
	int			tries = Min(n, TRIES);
	double		found = 0;

	for (int t = 0; t < tries; t++)
	{
		int			row = (int) ((int64) t * n / tries);
		int			masked = (row + shift) % n;
		double		own = distance(report, row, masked, row);
		int			ties = 0;
		bool		nearest = true;

		CHECK_FOR_INTERRUPTS();
		for (int i = 0; i < n && nearest; i++)
		{
			double		other = distance(report, row, masked, i);

			nearest = other >= own;
			ties += other == own;
		}
		if (nearest)
			found += 1.0 / ties;
	}
	return tries > 0 ? found / tries : NAN;
}

/* The rules that the masked relation was last masked by, or NULL. */
static Jsonb *
find_rules(Oid relid, MemoryContext context)
{
	GsAccess	access;
	Jsonb	   *rules = NULL;
	char	   *name = name_of(relid);

	gs_enter(&access);
	if (gs_run_text("SELECT rules FROM gensynth.provenance"
					" WHERE relation " GS_EQ " $1 ORDER BY masked_at DESC LIMIT 1",
					name, true) > 0)
	{
		MemoryContext old = MemoryContextSwitchTo(context);

		rules = DatumGetJsonbPCopy(gs_result(0, 1, NULL));
		MemoryContextSwitchTo(old);
	}
	gs_leave(&access);
	return rules;
}

static char *
find_rule(const Report *report, Jsonb *rules, const char *name)
{
	JsonbValue	key = {.type = jbvString};
	JsonbValue *value;
	GsRule	   *rule;

	key.val.string.val = unconstify(char *, name);
	key.val.string.len = strlen(name);
	value = rules == NULL ? NULL :
		findJsonbValueFromContainer(&rules->root, JB_FOBJECT, &key);
	if (value != NULL && value->type == jbvString)
		return pnstrdup(value->val.string.val, value->val.string.len);
	if (rules != NULL)
		return NULL;
	rule = gs_label_of(report->relid[0], get_attnum(report->relid[0], name));
	return rule != NULL && rule->action != GS_RULE_KEEP ?
		pstrdup(rule->text) : NULL;
}

/* The columns that both have, but for the source's primary key. */
static void
find_columns(Report *report, const Bitmapset *key)
{
	Relation	relation = table_open(report->relid[0], AccessShareLock);
	TupleDesc	desc = RelationGetDescr(relation);

	report->columns = palloc0(desc->natts * sizeof(Column));
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(desc, i);
		AttrNumber	other = get_attnum(report->relid[1],
									   NameStr(attribute->attname));
		Column	   *column = &report->columns[report->ncolumns];

		if (attribute->attisdropped || other <= 0 ||
			get_atttype(report->relid[1], other) != attribute->atttypid ||
			bms_is_member(i + 1 - FirstLowInvalidHeapAttributeNumber, key))
			continue;
		column->name = pstrdup(NameStr(attribute->attname));
		(void) as_number(attribute->atttypid, column->name, &column->number);
		report->ncolumns++;
	}
	table_close(relation, AccessShareLock);
	if (report->ncolumns == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("\"%s\" and \"%s\" have no columns in common",
						get_rel_name(report->relid[0]),
						get_rel_name(report->relid[1])),
				 errhint("Name a table and what was made of it.")));
}

static int64
count_rows(Oid relid)
{
	if (gs_run(psprintf("SELECT pg_catalog.count(*) FROM %s", name_of(relid)),
			   0, NULL, NULL, NULL, true) != 1)
		return 0;
	return DatumGetInt64(gs_result(0, 1, NULL));
}

/* Reads both relations, and finds out what is masked. */
static void
read_both(Report *report)
{
	Bitmapset  *key = shared_key(report);
	MemoryContext context = CurrentMemoryContext;
	Jsonb	   *rules = find_rules(report->relid[1], context);
	int64		step;

	find_columns(report, key);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	step = Max(Max(count_rows(report->relid[0]),
				   count_rows(report->relid[1])) / MAX_ROWS, 1);
	MemoryContextSwitchTo(context);
	for (int side = 0; side < 2; side++)
		read_side(report, side, key_expression(report->relid[0], key), step);
	SPI_finish();
	MemoryContextSwitchTo(context);
	if (key != NULL)
		match_rows(report);
	if (!report->matched)
		ereport(NOTICE,
				(errmsg("rows cannot be matched: the primary key of \"%s\" is masked, or there is none",
						get_rel_name(report->relid[0])),
				 errdetail("Changed rows and re-identification are not told.")));
	for (int c = 0; c < report->ncolumns; c++)
	{
		Column	   *column = &report->columns[c];

		column->rule = find_rule(report, rules, column->name);
		column->masked = column->rule != NULL;
		for (int i = 0; i < report->n[0] && report->matched &&
			 !column->masked; i++)
			column->masked = !is_same(column->value[0][i], column->value[1][i]);
		group_column(report, column);
	}
}

static void
put_number(Datum *values, bool *nulls, int at, double value)
{
	nulls[at] = isnan(value);
	values[at] = Float8GetDatum(value);
}

static double
rounded(double value, double unit)
{
	return rint(value / unit) * unit;
}

/* The row of a column. */
static double
report_column(const Report *report, const Column *column,
			  ReturnSetInfo *result)
{
	Datum		values[11] = {0};
	bool		nulls[11] = {false};
	double	   *before = sorted(column->value[0], report->n[0]);
	double	   *after = sorted(column->value[1], report->n[1]);
	int			n = count_present(before, report->n[0]);
	int			m = count_present(after, report->n[1]);
	int64		equal = 0;
	int64		changed = 0;
	double		error = trend_error(report, column);

	for (int i = 0; i < report->n[0] && report->matched; i++)
	{
		changed += !is_same(column->value[0][i], column->value[1][i]);
		equal += column->value[0][i] == column->value[1][i];
	}
	values[0] = CStringGetTextDatum(column->name);
	nulls[1] = column->rule == NULL;
	if (column->rule != NULL)
		values[1] = CStringGetTextDatum(column->rule);
	values[2] = Int64GetDatum(report->n[1]);
	values[3] = Int64GetDatum(changed);
	values[4] = Int64GetDatum(equal);
	nulls[3] = nulls[4] = !report->matched;
	put_number(values, nulls, 5,
			   rounded(equal_by_chance(before, n, after, m) /
					   Max(report->n[0], 1), 0.1));
	values[6] = Int64GetDatum(count_distinct(before, n));
	values[7] = Int64GetDatum(count_distinct(after, m));
	put_number(values, nulls, 8, rounded(error, 0.01));
	nulls[9] = nulls[10] = true;
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	pfree(before);
	pfree(after);
	return error;
}

/* The last row: of all masked columns together. */
static void
report_all(const Report *report, double error, ReturnSetInfo *result)
{
	Datum		values[11] = {0};
	bool		nulls[11] = {true, true, false, false, true, true, true, true,
	false, false, false};
	int64		changed = 0;

	for (int i = 0; i < report->n[0] && report->matched; i++)
	{
		bool		any = false;

		for (int c = 0; c < report->ncolumns && !any; c++)
			any = !is_same(report->columns[c].value[0][i],
						   report->columns[c].value[1][i]);
		changed += any;
	}
	values[2] = Int64GetDatum(report->n[1]);
	values[3] = Int64GetDatum(changed);
	nulls[3] = nulls[9] = nulls[10] = !report->matched;
	put_number(values, nulls, 8, rounded(error, 0.01));
	if (report->matched)
	{
		put_number(values, nulls, 9, rounded(reidentified(report, 0), 0.001));
		put_number(values, nulls, 10,
				   rounded(reidentified(report, Max(Min(report->n[0], AMONG) / 2,
													1)), 0.001));
	}
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

/*
 * synth_mask_report(source regclass, masked regclass): see masked.sql.
 */
GS_FUNCTION(synth_mask_report);

Datum
synth_mask_report(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	Report		report = {0};
	double		sum = 0;
	int			n = 0;

	InitMaterializedSRF(fcinfo, 0);
	for (int side = 0; side < 2; side++)
	{
		if (PG_ARGISNULL(side))
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("%s must not be null", side == 0 ? "source" : "masked"),
					 errhint("Name a table and what was made of it.")));
		report.relid[side] = PG_GETARG_OID(side);
		if (get_rel_name(report.relid[side]) == NULL)
			ereport(ERROR,
					(errcode(ERRCODE_UNDEFINED_TABLE),
					 errmsg("relation with OID %u does not exist",
							report.relid[side])));
	}
	report.context = CurrentMemoryContext;
	read_both(&report);
	for (int c = 0; c < report.ncolumns; c++)
	{
		double		error;

		if (!report.columns[c].masked)
			continue;
		error = report_column(&report, &report.columns[c], result);
		sum += isnan(error) ? 0 : error;
		n += !isnan(error);
	}
	report_all(&report, n > 0 ? sum / n : NAN, result);
	return (Datum) 0;
}
