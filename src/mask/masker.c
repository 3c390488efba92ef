/*
 * masker.c
 *	  Rows of a table with some columns masked.
 *
 * A row's generated values depend on the key and on who the row is: its
 * primary key or, without one, the values that are replaced.  So the same row
 * has the same values in every copy of the table, whatever is masked beside.
 * Pseudonyms and patterns depend on the key and the value alone.
 */
#include "postgres.h"

#include <math.h>

#include "access/genam.h"
#include "access/sysattr.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_operator_d.h"
#include "catalog/pg_type.h"
#include "common/int.h"
#include "executor/executor.h"
#include "executor/tuptable.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/datetime.h"
#include "utils/datum.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"
#include "utils/tuplesort.h"
#include "utils/typcache.h"
#include "utils/varlena.h"
#include "utils/uuid.h"

#include "codec/styles.h"
#include "compat.h"
#include "mask/kind_type.h"
#include "mask/masker.h"
#include "mask/siphash.h"
#include "numeric/permute.h"

/* What is hashed first, for hashes of different uses to differ. */
enum
{
	ROW_HASH = 'r',
	PATTERN_HASH = 'p',
	SUFFIX_HASH = 's'
};

#define MAX_SUFFIX	19			/* digits */
#define LONG_SUFFIX	UINT64CONST(10000000000000000000)
#define NARROW		12			/* characters of short addresses beside it */

/* A number that only one row has. */
typedef struct Suffix
{
	uint64		number;
	int			digits;
} Suffix;

/* A column whose values are hashed. */
typedef struct HashedColumn
{
	int			at;
	FmgrInfo	output;
} HashedColumn;

typedef struct Column
{
	int			at;				/* in the table, from 0 */
	char	   *name;
	const GsRule *rule;
	bool		unique;
	int64		most;			/* of whole numbers' pseudonyms */
	Oid			type;			/* perhaps a domain */
	Oid			base;
	bool		text;			/* text, or what is stored as text */
	bool		folded;			/* case is no matter: citext */
	int32		typmod;			/* of base */
	bool		byval;
	int16		length;
	void	   *domain;			/* what domain_check keeps */
	DomainConstraintRef *conditions;	/* of a kind's domain, or NULL */
	HashedColumn hashed;		/* of GS_RULE_PATTERN */
	GsKindColumn kind;			/* of GS_RULE_KIND */
	int			room;			/* of that, in characters; 0: any */
	bool		narrow;			/* has no room for a suffix that follows from
								 * the row: it is by the order of rows */
	int			fake;			/* the one of its locale */
	Datum		constant;		/* of GS_RULE_CONSTANT; the step of numbers */
	Tuplesortstate *sort;		/* of GS_RULE_SHUFFLE: values by a random key */
	TupleTableSlot *put;
	TupleTableSlot *sorted;
} Column;

/* A column that stays and that generated values fit. */
typedef struct Kept
{
	int			at;
	GsKindId	kind;
	FmgrInfo	output;
} Kept;

struct GsMasker
{
	char	   *table;			/* for messages */
	GsPseudonymKey key;
	bool		utf8;
	int			ncolumns;
	Column	   *columns;
	int			nidentity;
	HashedColumn *identity;		/* who a row is */
	bool		styled;			/* a text of these is the settings' */
	int			nkept;
	Kept	   *kept;
	int			nfakes;
	GsFakeSetup *setups;		/* [nfakes], one for each locale */
	GsFake	   *fakes;
	uint64_t	shuffle_seed[2];
	uint64		put;			/* values that were put so far */
	int			number_at;		/* the primary key, if that is one number; -1 */
	int			number_length;	/* its bytes */
	GsPseudonymKey suffix_key;
	GsPermutation suffix;		/* of narrow columns, by the order of rows */
	uint64	   *counter;		/* rows so far, of all partitions */
	ExprContext *conditions;	/* what domains' conditions are tested in */
	MemoryContext context;		/* it lives in */
};

/*
 * gs_masker_is_styled: whether the text of a type's values may depend on the
 * session's settings, which what is made of a row must not.
 */
bool
gs_masker_is_styled(Oid type)
{
	switch (getBaseType(type))
	{
		case BOOLOID:
		case INT2OID:
		case INT4OID:
		case INT8OID:
		case NUMERICOID:
		case TEXTOID:
		case VARCHAROID:
		case BPCHAROID:
		case NAMEOID:
		case UUIDOID:
			return false;
		default:
			return true;
	}
}

static void
hashed_column(HashedColumn *hashed, TupleDesc desc, int at)
{
	Oid			output;
	bool		varlena;

	hashed->at = at;
	getTypeOutputInfo(TupleDescAttr(desc, at)->atttypid, &output, &varlena);
	fmgr_info(output, &hashed->output);
}

static void
add_hashed(GsSipHash *hash, HashedColumn *column, Datum value, bool isnull)
{
	char	   *text;

	if (isnull)
	{
		/* a byte that no text has */
		gs_siphash_add(hash, "\377", 1);
		return;
	}
	text = OutputFunctionCall(&column->output, value);
	/* with its final 0, so that 'a', 'bc' is not 'ab', 'c' */
	gs_siphash_add(hash, text, strlen(text) + 1);
}

/*
 * gs_masker_identity: the columns that say which row a row is: those of the
 * primary key or, without one, those that are replaced by kinds.
 *
 * columns: of GsMaskedColumn.  Returns places, from 0.
 */
Bitmapset *
gs_masker_identity(Relation relation, const List *columns)
{
	Bitmapset  *key = RelationGetIndexAttrBitmap(relation,
												 INDEX_ATTR_BITMAP_PRIMARY_KEY);
	Bitmapset  *identity = NULL;
	int			at = -1;
	ListCell   *cell;

	while ((at = bms_next_member(key, at)) >= 0)
		identity = bms_add_member(identity, at +
								  FirstLowInvalidHeapAttributeNumber - 1);
	if (identity != NULL)
		return identity;
	foreach(cell, columns)
	{
		const GsMaskedColumn *column = lfirst(cell);
		AttrNumber	attnum = get_attnum(RelationGetRelid(relation),
										column->name);

		if (column->rule->action == GS_RULE_KIND && attnum > 0)
			identity = bms_add_member(identity, attnum - 1);
	}
	return identity;
}

static void
find_identity(GsMasker *masker, Relation relation, const List *columns)
{
	TupleDesc	desc = RelationGetDescr(relation);
	Bitmapset  *key = RelationGetIndexAttrBitmap(relation,
												 INDEX_ATTR_BITMAP_PRIMARY_KEY);
	Bitmapset  *identity = gs_masker_identity(relation, columns);
	int			at = -1;

	masker->identity = palloc0(desc->natts * sizeof(HashedColumn));
	while ((at = bms_next_member(identity, at)) >= 0)
	{
		hashed_column(&masker->identity[masker->nidentity++], desc, at);
		masker->styled |= gs_masker_is_styled(TupleDescAttr(desc, at)->atttypid);
	}
	masker->number_at = -1;
	if (bms_membership(key) == BMS_SINGLETON)
	{
		Oid			type;

		at = masker->identity[0].at;
		type = TupleDescAttr(desc, at)->atttypid;
		if (type == INT2OID || type == INT4OID || type == INT8OID)
		{
			masker->number_at = at;
			masker->number_length = TupleDescAttr(desc, at)->attlen;
		}
	}
}

/* The generator of a locale, which all columns of it share. */
static int
fake_of_locale(GsMasker *masker, int locale)
{
	GsFakeSetup *setup;

	for (int i = 0; i < masker->nfakes; i++)
		if (masker->setups[i].locale == locale)
			return i;
	setup = &masker->setups[masker->nfakes];
	setup->ascii = !masker->utf8;
	gs_kind_lists(setup);
	setup->locale = locale;
	return masker->nfakes++;
}

/* A sort of a column's values by a random key. */
static void
begin_shuffle(Column *column, Relation relation)
{
	AttrNumber	key = 1;
	Oid			less = Int8LessOperator;
	Oid			collation = InvalidOid;
	bool		nulls_first = false;
	TupleDesc	desc = CreateTemplateTupleDesc(2);

	TupleDescInitEntry(desc, 1, "key", INT8OID, -1, 0);
	TupleDescCopyEntry(desc, 2, RelationGetDescr(relation), column->at + 1);
	gs_desc_finish(desc);
	column->sort = tuplesort_begin_heap(desc, 1, &key, &less, &collation,
										&nulls_first, work_mem, NULL, 0);
	column->put = MakeSingleTupleTableSlot(desc, &TTSOpsVirtual);
	column->sorted = MakeSingleTupleTableSlot(desc, &TTSOpsMinimalTuple);
}

static void
begin_column(GsMasker *masker, Column *column, Relation relation, int digits)
{
	TupleDesc	desc = RelationGetDescr(relation);
	Form_pg_attribute attribute = TupleDescAttr(desc, column->at);
	const GsRule *rule = column->rule;
	Oid			input;
	Oid			ioparam;

	column->name = pstrdup(NameStr(attribute->attname));
	column->byval = attribute->attbyval;
	column->length = attribute->attlen;
	column->type = attribute->atttypid;
	column->typmod = attribute->atttypmod;
	column->base = getBaseTypeAndTypmod(column->type, &column->typmod);
	column->text = gs_is_masked_text(column->base);
	column->folded = gs_is_citext(column->base);
	switch (rule->action)
	{
		case GS_RULE_KIND:
			gs_kind_column(&column->kind, rule->kind, column->type,
						   attribute->atttypmod, column->unique ? digits : 0);
			column->room = column->kind.want.max_chars;
			column->narrow = column->room > 0 && column->room < MAX_SUFFIX +
				(masker->number_at >= 0 ? 0 : NARROW);
			column->fake = fake_of_locale(masker, rule->locale);
			if (column->type != column->base)
			{
				column->conditions = palloc0(sizeof(DomainConstraintRef));
				InitDomainConstraintRef(column->type, column->conditions,
										masker->context, true);
				if (masker->conditions == NULL)
					masker->conditions = CreateStandaloneExprContext();
			}
			break;
		case GS_RULE_PATTERN:
			hashed_column(&column->hashed, desc, column->at);
			break;
		case GS_RULE_CONSTANT:
			getTypeInputInfo(column->base, &input, &ioparam);
			column->constant = OidInputFunctionCall(input,
													pstrdup(rule->argument),
													ioparam,
													column->typmod);
			break;
		case GS_RULE_GENERALISE:
			if (column->base == NUMERICOID)
				column->constant = DirectFunctionCall3(numeric_in,
													   CStringGetDatum(rule->argument),
													   ObjectIdGetDatum(InvalidOid),
													   Int32GetDatum(-1));
			break;
		case GS_RULE_SHUFFLE:
			begin_shuffle(column, relation);
			break;
		default:
			break;
	}
}

/* Between two batches, or before its copy is made, a column may change. */
static void
check_type(const Column *column, Relation relation, const char *table)
{
	Form_pg_attribute attribute = TupleDescAttr(RelationGetDescr(relation),
												column->at);
	const char *reason;

	if (attribute->attgenerated != '\0' ||
		!gs_rule_fits(column->rule, attribute->atttypid, attribute->atttypmod,
					  &reason))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("column \"%s\" of table %s is another one than it was",
						NameStr(attribute->attname), table),
				 errhint("Call it again.")));
}

/*
 * gs_masker_begin: sets up the masking of a table's rows.
 *
 * relation: the table that rows are written for.  table: the
 * name that hashes and messages have, which is that of the root for a
 * partition.  columns: of GsMaskedColumn, whose rules fit their types.  kept:
 * of GsKeptColumn.  digits: of a number of rows.  counter: counts rows, over
 * all partitions of a table.
 */
GsMasker *
gs_masker_begin(Relation relation, const char *table, const List *columns,
				const List *kept, const GsPseudonymKey *key, int digits,
				uint64 *counter)
{
	GsMasker   *masker = palloc0(sizeof(GsMasker));
	Oid			relid = RelationGetRelid(relation);
	uint64		seed[2];
	ListCell   *cell;
	uint64		n = 1;

	masker->table = pstrdup(table);
	masker->key = *key;
	masker->utf8 = GetDatabaseEncoding() == PG_UTF8;
	masker->counter = counter;
	masker->context = CurrentMemoryContext;
	find_identity(masker, relation, columns);
	masker->columns = palloc0(list_length(columns) * sizeof(Column));
	masker->setups = palloc0(list_length(columns) * sizeof(GsFakeSetup));
	foreach(cell, columns)
	{
		const GsMaskedColumn *asked = lfirst(cell);
		Column	   *column = &masker->columns[masker->ncolumns];

		if (asked->skip)
			continue;
		masker->ncolumns++;
		column->at = get_attnum(relid, asked->name) - 1;
		/* dropped since the batch before */
		if (column->at < 0)
			ereport(ERROR,
					(errcode(ERRCODE_UNDEFINED_COLUMN),
					 errmsg("column \"%s\" of table %s does not exist any more",
							asked->name, table),
					 errhint("Call it again.")));
		column->rule = asked->rule;
		column->unique = asked->unique;
		column->most = asked->most;
		check_type(column, relation, table);
		begin_column(masker, column, relation, digits);
	}
	masker->kept = palloc0(list_length(kept) * sizeof(Kept));
	foreach(cell, kept)
	{
		const GsKeptColumn *asked = lfirst(cell);
		Kept	   *column = &masker->kept[masker->nkept++];
		HashedColumn hashed;

		if (get_attnum(relid, asked->name) <= 0)
		{
			masker->nkept--;
			continue;
		}
		hashed_column(&hashed, RelationGetDescr(relation),
					  get_attnum(relid, asked->name) - 1);
		column->at = hashed.at;
		masker->styled |=
			gs_masker_is_styled(get_atttype(relid, hashed.at + 1));
		column->kind = asked->kind;
		column->output = hashed.output;
	}
	masker->fakes = palloc0(masker->nfakes * sizeof(GsFake));
	if (!pg_strong_random(masker->shuffle_seed, sizeof(masker->shuffle_seed)))
		ereport(ERROR,
				(errcode(ERRCODE_INTERNAL_ERROR),
				 errmsg("could not generate random values")));
	for (int i = 0; i < digits; i++)
		n *= 10;
	gs_siphash_pair(key->word, SUFFIX_HASH, 0, seed);
	gs_permute_init(&masker->suffix, n, seed[0]);
	memcpy(masker->suffix_key.word, seed, sizeof(seed));
	return masker;
}

/*
 * gs_masker_shuffles: whether all rows have to be passed to gs_masker_put, and
 * gs_masker_sort to be called, before the first row is masked.
 */
bool
gs_masker_shuffles(const GsMasker *masker)
{
	for (int i = 0; i < masker->ncolumns; i++)
		if (masker->columns[i].rule->action == GS_RULE_SHUFFLE)
			return true;
	return false;
}

/*
 * gs_masker_put: takes a row's values for columns that are shuffled.
 */
void
gs_masker_put(GsMasker *masker, const Datum *values, const bool *nulls)
{
	uint64_t	random[2];

	for (int i = 0; i < masker->ncolumns; i++)
	{
		Column	   *column = &masker->columns[i];
		TupleTableSlot *slot = column->put;

		if (column->rule->action != GS_RULE_SHUFFLE)
			continue;
		ExecClearTuple(slot);
		gs_siphash_pair(masker->shuffle_seed, masker->put++, i, random);
		slot->tts_values[0] = Int64GetDatum((int64) random[0]);
		slot->tts_isnull[0] = false;
		slot->tts_values[1] = values[column->at];
		slot->tts_isnull[1] = nulls[column->at];
		ExecStoreVirtualTuple(slot);
		tuplesort_puttupleslot(column->sort, slot);
	}
}

/*
 * gs_masker_sort: all rows have been put.
 */
void
gs_masker_sort(GsMasker *masker)
{
	for (int i = 0; i < masker->ncolumns; i++)
		if (masker->columns[i].rule->action == GS_RULE_SHUFFLE)
			tuplesort_performsort(masker->columns[i].sort);
}

/*
 * gs_masker_end: frees what gs_masker_begin took besides memory.
 */
void
gs_masker_end(GsMasker *masker)
{
	if (masker->conditions != NULL)
		FreeExprContext(masker->conditions, true);
	for (int i = 0; i < masker->ncolumns; i++)
	{
		Column	   *column = &masker->columns[i];

		if (column->sort == NULL)
			continue;
		ExecDropSingleTupleTableSlot(column->put);
		ExecDropSingleTupleTableSlot(column->sorted);
		tuplesort_end(column->sort);
	}
}

/* Puts its pseudonym in the place of len bytes of a column's value. */
static void
give_pseudonym(const GsMasker *masker, const Column *column, char *text,
			 size_t len)
{
	if (!gs_pseudonym_text(&masker->key, text, len, masker->utf8))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("column \"%s\" of table %s has values that are too short for pseudonyms",
						column->name, masker->table),
				 errdetail("A format of fewer than %d values has no pseudonyms.",
						   GS_PSEUDONYM_LEAST),
				 errhint("Choose a kind of values, shuffle, constant:... or null for it.")));
}

static Datum
pseudonym_text(const GsMasker *masker, const Column *column, Datum value)
{
	/* a copy, never compressed nor short; as citext compares it */
	text	   *copy = DatumGetTextPCopy(column->folded ?
										 DirectFunctionCall1Coll(lower,
																 DEFAULT_COLLATION_OID,
																 value) :
										 value);
	char	   *data = VARDATA(copy);
	size_t		len = VARSIZE(copy) - VARHDRSZ;

	/* blanks at the end of a char(n) are no part of it */
	if (column->base == BPCHAROID)
		len = bpchartruelen(data, (int) len);
	give_pseudonym(masker, column, data, len);
	return PointerGetDatum(copy);
}

/* The same as that of the uuid's text, in lower case. */
static Datum
pseudonym_uuid(const GsMasker *masker, const Column *column, Datum value)
{
	char	   *text = DatumGetCString(DirectFunctionCall1(uuid_out, value));

	give_pseudonym(masker, column, text, strlen(text));
	return DirectFunctionCall1(uuid_in, CStringGetDatum(text));
}

/* A whole number; as that of an integer type. */
static Datum
pseudonym_numeric(const GsMasker *masker, const Column *column, Datum value)
{
	int64		number;

	/* NaN is above all numbers */
	if (DatumGetBool(DirectFunctionCall2(numeric_lt, value,
										 NumericGetDatum(int64_to_numeric(PG_INT64_MIN)))) ||
		DatumGetBool(DirectFunctionCall2(numeric_gt, value,
										 NumericGetDatum(int64_to_numeric(PG_INT64_MAX)))))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("column \"%s\" of table %s has numbers beyond those of bigint, which have no pseudonyms",
						column->name, masker->table),
				 errhint("Choose generalise:... or shuffle for it.")));
	number = DatumGetInt64(DirectFunctionCall1(numeric_int8, value));
	if (!DatumGetBool(DirectFunctionCall2(numeric_eq, value,
										  NumericGetDatum(int64_to_numeric(number)))))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("column \"%s\" of table %s has numbers with fractions, which have no pseudonyms",
						column->name, masker->table),
				 errhint("Choose generalise:... or shuffle for it.")));
	number = gs_pseudonym_integer(&masker->key, number, column->most);
	return DirectFunctionCall2(numeric,
							   NumericGetDatum(int64_to_numeric(number)),
							   Int32GetDatum(column->typmod));
}

static Datum
pseudonym(const GsMasker *masker, const Column *column, Datum value)
{
	switch (column->base)
	{
		case INT2OID:
			return Int16GetDatum((int16)
								 gs_pseudonym_integer(&masker->key,
													  DatumGetInt16(value),
													  column->most));
		case INT4OID:
			return Int32GetDatum((int32)
								 gs_pseudonym_integer(&masker->key,
													  DatumGetInt32(value),
													  column->most));
		case INT8OID:
			return Int64GetDatum(gs_pseudonym_integer(&masker->key,
													  DatumGetInt64(value),
													  column->most));
		case NUMERICOID:
			return pseudonym_numeric(masker, column, value);
		case UUIDOID:
			return pseudonym_uuid(masker, column, value);
		default:
			return pseudonym_text(masker, column, value);
	}
}

/* A text of the pattern that the value determines. */
static Datum
pattern(GsMasker *masker, Column *column, Datum value)
{
	char	   *text = pstrdup(column->rule->argument);
	GsSipHash	hash;
	uint64_t	seed[2];
	uint64_t	random[2];
	char		use = PATTERN_HASH;

	gs_siphash_begin(&hash, masker->key.word);
	gs_siphash_add(&hash, &use, 1);
	add_hashed(&hash, &column->hashed, value, false);
	gs_siphash_end(&hash, seed);
	for (int i = 0; text[i] != '\0'; i++)
	{
		uint32		n = text[i] == '9' ? 10 : 26;

		if (text[i] != '9' && text[i] != 'A' && text[i] != 'a')
			continue;
		gs_siphash_pair(seed, PATTERN_HASH, i, random);
		text[i] = (char) ((text[i] == '9' ? '0' : text[i]) +
						  ((random[0] >> 32) * n >> 32));
	}
	if (column->base == BPCHAROID)
		return DirectFunctionCall3(bpcharin, CStringGetDatum(text),
								   ObjectIdGetDatum(InvalidOid),
								   Int32GetDatum(column->typmod));
	return CStringGetTextDatum(text);
}

static int64
generalise_integer(const Column *column, int64 value)
{
	int64		step = pg_strtoint64(column->rule->argument);
	int64		rest = value % step;
	int64		made;

	if (pg_sub_s64_overflow(value, rest < 0 ? rest + step : rest, &made) ||
		(column->base == INT4OID && made != (int32) made) ||
		(column->base == INT2OID && made != (int16) made))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("a value of column \"%s\" has no multiple of %s below it in its type",
						column->name, column->rule->argument)));
	return made;
}

static Datum
generalise(const Column *column, Datum value)
{
	Datum		unit = CStringGetTextDatum(column->rule->argument);
	double		step;

	switch (column->base)
	{
		case DATEOID:
			value = DirectFunctionCall1(date_timestamp, value);
			value = DirectFunctionCall2(timestamp_trunc, unit, value);
			return DirectFunctionCall1(timestamp_date, value);
		case TIMESTAMPOID:
			return DirectFunctionCall2(timestamp_trunc, unit, value);
		case TIMESTAMPTZOID:
			return DirectFunctionCall2(timestamptz_trunc, unit, value);
		case INT2OID:
			return Int16GetDatum((int16) generalise_integer(column,
															DatumGetInt16(value)));
		case INT4OID:
			return Int32GetDatum((int32) generalise_integer(column,
															DatumGetInt32(value)));
		case INT8OID:
			return Int64GetDatum(generalise_integer(column,
													DatumGetInt64(value)));
		case FLOAT4OID:
			step = atof(column->rule->argument);
			return Float4GetDatum((float4) (floor(DatumGetFloat4(value) / step) * step));
		case FLOAT8OID:
			step = atof(column->rule->argument);
			return Float8GetDatum(floor(DatumGetFloat8(value) / step) * step);
		default:
			value = DirectFunctionCall2(numeric_div, value, column->constant);
			value = DirectFunctionCall1(numeric_floor, value);
			value = DirectFunctionCall2(numeric_mul, value, column->constant);
			return DirectFunctionCall2(numeric, value,
									   Int32GetDatum(column->typmod));
	}
}

/* The next of all values in a random order. */
static Datum
shuffled(const GsMasker *masker, const Column *column, bool *isnull,
		 int attempt)
{
	Datum		value;

	if (attempt == 0 &&
		!tuplesort_gettupleslot(column->sort, true, false, column->sorted,
								NULL))
		elog(ERROR, "table %s has more rows than it had", masker->table);
	value = slot_getattr(column->sorted, 2, isnull);
	return *isnull ? value : datumCopy(value, column->byval, column->length);
}

/*
 * The number that makes a row's e-mail address one of its own: it follows from
 * the primary key, if that is a number, by a bijection; else it is so long that
 * no other row has it.  random: of the row.
 */
static Suffix
suffix_of(const GsMasker *masker, const Datum *values, const bool *nulls,
		  uint64 random)
{
	int			at = masker->number_at;
	int64		number;

	if (at < 0 || nulls[at])
		return (Suffix) {random % LONG_SUFFIX, MAX_SUFFIX};
	number = masker->number_length == 2 ? DatumGetInt16(values[at]) :
		masker->number_length == 4 ? DatumGetInt32(values[at]) :
		DatumGetInt64(values[at]);
	number = gs_pseudonym_integer(&masker->suffix_key, number, PG_INT64_MAX);
	if (number < 0)
		return (Suffix) {((uint64) number) % LONG_SUFFIX, MAX_SUFFIX};
	return (Suffix) {number, number < 100000 ? 5 : number <= PG_INT32_MAX ? 10 :
		MAX_SUFFIX};
}

/*
 * A value of a kind.  Sex is written as the value was: in a letter or a word,
 * and with a capital or not.
 */
static Datum
kind_value(GsMasker *masker, Column *column, Datum value,
		   const Suffix *suffix)
{
	GsFake	   *fake = &masker->fakes[column->fake];
	char	   *was;
	char	   *made;
	Datum		result;

	if (column->rule->kind->id != GS_KIND_SEX || !column->text)
	{
		if (column->kind.want.suffix_digits == 0 || column->narrow)
			return gs_kind_datum(&column->kind, fake,
								 gs_permute(&masker->suffix,
											*masker->counter - 1));
		column->kind.want.suffix_digits = suffix->digits;
		return gs_kind_datum(&column->kind, fake, suffix->number);
	}
	was = TextDatumGetCString(value);
	column->kind.want.max_chars = was[1] == '\0' || was[1] == ' ' ? 1 :
		column->room;
	result = PointerGetDatum(DatumGetTextPCopy(gs_kind_datum(&column->kind,
															  fake, 0)));
	made = VARDATA(DatumGetPointer(result));
	made[0] = (char) (was[0] >= 'A' && was[0] <= 'Z' ?
					  pg_ascii_toupper((unsigned char) made[0]) :
					  pg_ascii_tolower((unsigned char) made[0]));
	return result;
}

static bool
is_empty_text(const Column *column, Datum value)
{
	return column->text &&
		VARSIZE_ANY_EXHDR(PG_DETOAST_DATUM_PACKED(value)) == 0;
}

/*
 * A birth date stays within its five years, and what is drawn from it, such
 * as a national id, fits.
 */
static void
keep_age(GsMasker *masker, const Datum *values, const bool *nulls)
{
	for (int i = 0; i < masker->ncolumns; i++)
	{
		const Column *column = &masker->columns[i];
		DateADT		date;
		int			year;
		int			month;
		int			day;
		int			first;
		int			last;

		if (column->rule->action != GS_RULE_KIND || nulls[column->at] ||
			column->rule->kind->id != GS_KIND_BIRTH_DATE ||
			column->base != DATEOID)
			continue;
		date = DatumGetDateADT(values[column->at]);
		if (DATE_NOT_FINITE(date))
			continue;
		j2date(date + POSTGRES_EPOCH_JDATE, &year, &month, &day);
		/* nobody's birth */
		if (year < 5 || year > 9999)
			continue;
		year -= year % 5;
		first = date2j(year, 1, 1) - UNIX_EPOCH_JDATE;
		last = date2j(year + 4, 12, 31) - UNIX_EPOCH_JDATE;
		for (int f = 0; f < masker->nfakes; f++)
			gs_fake_keep_birth(&masker->fakes[f], first, last);
	}
}

/* Random bits for a row, and the generators that they drive. */
static void
begin_fakes(GsMasker *masker, const Datum *values, const bool *nulls,
			int attempt, uint64_t random[2])
{
	GsSipHash	hash;
	char		use[] = {ROW_HASH, (char) attempt};

	gs_siphash_begin(&hash, masker->key.word);
	gs_siphash_add(&hash, use, sizeof(use));
	gs_siphash_add(&hash, masker->table, strlen(masker->table) + 1);
	for (int i = 0; i < masker->nidentity; i++)
		add_hashed(&hash, &masker->identity[i],
				   values[masker->identity[i].at],
				   nulls[masker->identity[i].at]);
	gs_siphash_end(&hash, random);
	for (int i = 0; i < masker->nfakes; i++)
		gs_fake_begin(&masker->fakes[i], &masker->setups[i], random);
	keep_age(masker, values, nulls);
	for (int i = 0; i < masker->nkept; i++)
	{
		Kept	   *kept = &masker->kept[i];
		char	   *text;

		if (nulls[kept->at])
			continue;
		text = OutputFunctionCall(&kept->output, values[kept->at]);
		for (int f = 0; f < masker->nfakes; f++)
			gs_fake_keep(&masker->fakes[f], kept->kind, text,
						 (int) strlen(text));
	}
}

/*
 * gs_masker_draws: whether generated values can be drawn anew.
 */
bool
gs_masker_draws(const GsMasker *masker)
{
	return masker->nfakes > 0;
}

/*
 * gs_masker_row: masks a row.
 *
 * values, nulls: of all the table's columns, changed in place; what is new is
 * in the current memory context.  attempt: from 0 to 127, for generated values
 * that are others, where those before would not do; the row is to be passed as
 * it was, and a next row counts only at attempt 0.  NULL stays NULL, but where values are
 * shuffled.  last: values that are not in their domains are errors; without,
 * returns false for them.  Errors: 22023 for a value without a pseudonym, and
 * those of types and domains.
 */
bool
gs_masker_row(GsMasker *masker, Datum *values, bool *nulls, int attempt,
			  bool last)
{
	Suffix		suffix = {0};
	bool		fits = true;

	if (masker->nfakes > 0)
	{
		uint64_t	random[2];
		int			level = 0;

		if (masker->styled)
			level = gs_fix_styles();
		begin_fakes(masker, values, nulls, attempt, random);
		if (masker->styled)
			gs_end_settings(level);
		suffix = suffix_of(masker, values, nulls, random[0]);
	}
	if (attempt == 0)
		++*masker->counter;
	for (int i = 0; i < masker->ncolumns; i++)
	{
		Column	   *column = &masker->columns[i];
		Datum	   *value = &values[column->at];
		bool	   *isnull = &nulls[column->at];

		if (column->rule->action == GS_RULE_SYNTHESIZE)
			continue;			/* synthesize.c has done it */
		if (column->rule->action == GS_RULE_SHUFFLE)
			*value = shuffled(masker, column, isnull, attempt);
		else if (*isnull)
			continue;
		else if (column->rule->action == GS_RULE_NULL)
			*isnull = true;
		else if (column->rule->action == GS_RULE_KIND)
		{
			if (!is_empty_text(column, *value))
				*value = kind_value(masker, column, *value, &suffix);
		}
		else if (column->rule->action == GS_RULE_PSEUDONYM)
			*value = pseudonym(masker, column, *value);
		else if (column->rule->action == GS_RULE_PATTERN)
			*value = pattern(masker, column, *value);
		else if (column->rule->action == GS_RULE_CONSTANT)
			*value = column->constant;
		else
			*value = generalise(column, *value);
		if (column->conditions != NULL && !last)
			fits = fits && gs_kind_in_domain(column->conditions,
											 masker->conditions, *value);
		else if (column->type != column->base)
			domain_check(*value, *isnull, column->type, &column->domain,
						 masker->context);
	}
	return fits;
}
