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

#include "access/genam.h"
#include "access/sysattr.h"
#include "catalog/pg_operator_d.h"
#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "executor/tuptable.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/datum.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/numeric.h"
#include "utils/tuplesort.h"
#include "utils/typcache.h"

#include "compat.h"
#include "mask/masker_internal.h"
#include "mask/places.h"

/* Draws of generated values, of which one is to meet all conditions; and
 * generalised columns whose ends are tried with each other's. */
#define MAX_ATTEMPTS	100
#define MAX_TURNS		6

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

/* Whether settings are to be changed for a value of it to be written. */
static bool
is_styled(const GsMaskerHashed *hashed)
{
	return hashed->base != DATEOID && hashed->base != TIMESTAMPOID &&
		gs_masker_is_styled(hashed->base);
}

static void
hashed_column(GsMaskerHashed *hashed, TupleDesc desc, int at)
{
	Oid			output;
	bool		varlena;

	hashed->at = at;
	hashed->base = getBaseType(TupleDescAttr(desc, at)->atttypid);
	getTypeOutputInfo(TupleDescAttr(desc, at)->atttypid, &output, &varlena);
	fmgr_info(output, &hashed->output);
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

	masker->identity = palloc0(desc->natts * sizeof(GsMaskerHashed));
	while ((at = bms_next_member(identity, at)) >= 0)
	{
		GsMaskerHashed *hashed = &masker->identity[masker->nidentity++];

		hashed_column(hashed, desc, at);
		masker->styled |= is_styled(hashed);
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
begin_shuffle(GsMaskerColumn *column, Relation relation)
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

/* What a domain asks of values of which there are others to try. */
static void
begin_conditions(GsMasker *masker, GsMaskerColumn *column)
{
	if (column->type == column->base)
		return;
	column->conditions = palloc0(sizeof(DomainConstraintRef));
	InitDomainConstraintRef(column->type, column->conditions, masker->context,
							true);
	if (masker->conditions == NULL)
		masker->conditions = CreateStandaloneExprContext();
}

static void
begin_column(GsMasker *masker, GsMaskerColumn *column, Relation relation, int digits)
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
			begin_conditions(masker, column);
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
			column->turn = masker->ngeneralised++ % MAX_TURNS;
			begin_conditions(masker, column);
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
check_type(const GsMaskerColumn *column, Relation relation, const char *table)
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
	masker->columns = palloc0(list_length(columns) * sizeof(GsMaskerColumn));
	masker->setups = palloc0(list_length(columns) * sizeof(GsFakeSetup));
	foreach(cell, columns)
	{
		const GsMaskedColumn *asked = lfirst(cell);
		GsMaskerColumn *column = &masker->columns[masker->ncolumns];

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
		column->place = -1;
		column->unique = asked->unique;
		column->most = asked->most;
		check_type(column, relation, table);
		begin_column(masker, column, relation, digits);
	}
	masker->kept = palloc0(list_length(kept) * sizeof(GsMaskerKept));
	foreach(cell, kept)
	{
		const GsKeptColumn *asked = lfirst(cell);
		GsMaskerKept *column;
		AttrNumber	attnum = get_attnum(relid, asked->name);

		if (attnum <= 0)
			continue;
		column = &masker->kept[masker->nkept++];
		column->kind = asked->kind;
		hashed_column(&column->column, RelationGetDescr(relation),
					  attnum - 1);
		masker->styled |= is_styled(&column->column);
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
 * gs_masker_places: has columns whose rules say so drawn from places of the
 * table's own rows.  relation: that of gs_masker_begin.
 */
void
gs_masker_places(GsMasker *masker, Relation relation, const GsPlaces *places)
{
	masker->places = places;
	masker->place_key = palloc0((places->nkept + 1) * sizeof(GsMaskerHashed));
	for (int i = 0; i < places->nkept; i++)
		hashed_column(&masker->place_key[i], RelationGetDescr(relation),
					  get_attnum(RelationGetRelid(relation),
								 places->kept[i]) - 1);
	for (int i = 0; i < masker->ncolumns; i++)
		for (int p = 0; p < places->ncolumns; p++)
			if (strcmp(masker->columns[i].name, places->columns[p]) == 0)
				masker->columns[i].place = p;
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
		GsMaskerColumn *column = &masker->columns[i];
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
		GsMaskerColumn *column = &masker->columns[i];

		if (column->sort == NULL)
			continue;
		ExecDropSingleTupleTableSlot(column->put);
		ExecDropSingleTupleTableSlot(column->sorted);
		tuplesort_end(column->sort);
	}
}

/* The next of all values in a random order. */
static Datum
shuffled(const GsMasker *masker, const GsMaskerColumn *column, bool *isnull,
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

static bool
is_empty_text(const GsMaskerColumn *column, Datum value)
{
	return column->text &&
		VARSIZE_ANY_EXHDR(PG_DETOAST_DATUM_PACKED(value)) == 0;
}

/*
 * gs_masker_attempts: how often a row may be masked, in other ways each time:
 * generated values can be drawn anew, and of a unit that a value is generalised
 * to there are two ends.
 */
int
gs_masker_attempts(const GsMasker *masker)
{
	return masker->nfakes > 0 ? MAX_ATTEMPTS :
		1 << Min(masker->ngeneralised, MAX_TURNS);
}

/*
 * gs_masker_row: masks a row.
 *
 * values, nulls: of all the table's columns, changed in place; what is new is
 * in the current memory context.  attempt: from 0 to gs_masker_attempts - 1,
 * for values that are others, where those before would not do; the row is to be passed as
 * it was, and a next row counts only at attempt 0.  NULL stays NULL, but where values are
 * shuffled.  last: values that are not in their domains are errors; without,
 * returns false for them.  Errors: 22023 for a value without a pseudonym, and
 * those of types and domains.
 */
bool
gs_masker_row(GsMasker *masker, Datum *values, bool *nulls, int attempt,
			  bool last)
{
	GsMaskerSuffix suffix = gs_masker_begin_row(masker, values, nulls,
												attempt);
	const Datum *place = masker->places == NULL ? NULL :
		gs_masker_place(masker, values, nulls, suffix.random);
	bool		fits = true;

	if (attempt == 0)
		++*masker->counter;
	for (int i = 0; i < masker->ncolumns; i++)
	{
		GsMaskerColumn *column = &masker->columns[i];
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
			if (is_empty_text(column, *value))
				;
			else if (place != NULL && column->place >= 0)
				*value = place[column->place];
			else
				*value = gs_masker_kind(masker, column, *value, &suffix);
		}
		else if (column->rule->action == GS_RULE_PSEUDONYM)
			*value = gs_masker_pseudonym(masker, column, *value);
		else if (column->rule->action == GS_RULE_PATTERN)
			*value = gs_masker_pattern(masker, column, *value);
		else if (column->rule->action == GS_RULE_CONSTANT)
			*value = column->constant;
		else
			*value = gs_masker_generalise(column, *value,
										  attempt >> column->turn & 1);
		if (column->conditions != NULL && !last)
			fits = fits && gs_kind_in_domain(column->conditions,
											 masker->conditions, *value);
		else if (column->type != column->base)
			domain_check(*value, *isnull, column->type, &column->domain,
						 masker->context);
	}
	return fits;
}
