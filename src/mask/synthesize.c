/*
 * synthesize.c
 *	  Rule "synthesize": columns of real rows drawn from a model, given the
 *	  columns of the row that stay (partial synthesis: Reiter, "Using CART to
 *	  generate partially synthetic public use microdata", JOS 2005).
 *
 *	rows, up to a batch -> encoder -> context of a sampler -> decoders of the
 *	columns to be drawn
 *
 * Columns that are masked by other rules say nothing, and neither does what is
 * computed from masked ones.  The random numbers of a row follow from the key
 * and its primary key, or without one from all that is stored of it: not from
 * the rows beside it.
 */
#include "postgres.h"

#include "access/sysattr.h"
#include "access/table.h"
#include "executor/executor.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

#include "catalog/access.h"
#include "catalog/catalog.h"
#include "codec/codec.h"
#include "codec/domain.h"
#include "codec/styles.h"
#include "encode/decode.h"
#include "fit/fit.h"
#include "mask/masked.h"
#include "mask/siphash.h"
#include "mask/synthesize.h"
#include "model/model.h"
#include "stream/known.h"
#include "table/source.h"

#define SYNTHESIS_HASH	'y'

/* A column that is drawn. */
typedef struct Target
{
	int			at;				/* in the relation, from 0 */
	int			c;				/* in the model */
	GsDecoder  *decoder;
	bool		keeps_null;		/* the model draws none */
} Target;

/* What one model draws. */
typedef struct Part
{
	const GsModel *model;
	bool		fitted;			/* for this alone, and not stored */
	GsKnown    *made;
	bool	   *known;			/* [ncolumns] */
	int			ntargets;
	Target	   *targets;
} Part;

struct GsSynthesis
{
	TupleDesc	desc;
	char	   *table;
	uint64		key[2];
	int			nidentity;
	int		   *identity;		/* places of columns that say which row */
	FmgrInfo   *output;			/* of these */
	bool		styled;			/* their text is the settings' */
	int			nparts;
	Part	   *parts;
	int			n;				/* rows that were put */
	int			at;				/* the next to be given out */
	Datum	   *values;			/* [GS_BATCH][natts] */
	bool	   *nulls;
	uint64	   *rows;			/* [GS_BATCH] which rows they are */
	TupleTableSlot *slot;
	MemoryContext batch;		/* what values point to */
};

static bool
is_synthesized(const GsRule *rule)
{
	return rule->action == GS_RULE_SYNTHESIZE;
}

/*
 * gs_synthesis_fit: learns a model for the columns of a table that are to be
 * synthesized and name none: table->fitted.
 *
 * Errors: those of a fit; 0A000 for types that no model learns.
 */
void
gs_synthesis_fit(GsMaskTable *table, const GsPseudonymKey *key)
{
	MemoryContext context = CurrentMemoryContext;
	Relation	relation;
	TupleDesc	desc;
	Bitmapset  *changed;
	List	   *columns = NIL;
	List	   *targets = NIL;
	List	   *learned = NIL;
	uint64		seed[2];
	ListCell   *cell;

	foreach(cell, table->columns)
	{
		const GsMaskColumn *column = lfirst(cell);
		GsMaskedColumn *masked = palloc0(sizeof(GsMaskedColumn));

		masked->name = column->name;
		columns = lappend(columns, masked);
		if (is_synthesized(column->rule) && column->rule->model == NULL)
			targets = lappend(targets, column->name);
	}
	if (targets == NIL)
		return;
	relation = table_open(table->relid, AccessShareLock);
	desc = RelationGetDescr(relation);
	changed = gs_masked_columns(columns, table->relid);
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(desc, i);
		char	   *name = pstrdup(NameStr(attribute->attname));
		int32		typmod = attribute->atttypmod;
		Oid			type = gs_plain_type(attribute->atttypid, &typmod);
		GsCodec		codec;

		if (attribute->attisdropped || attribute->attgenerated != '\0' ||
			!gs_codec_for_type(&codec, type, typmod))
			continue;
		if (gs_is_named(targets, name) || !bms_is_member(i, changed))
			learned = lappend(learned, name);
	}
	table_close(relation, NoLock);
	gs_siphash_pair(key->word, SYNTHESIS_HASH, 0, seed);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	MemoryContextSwitchTo(context);
	table->fitted = gs_fit_completion(table->name, learned, targets,
									  (int64) seed[0]);
	SPI_finish();
	MemoryContextSwitchTo(context);
}

/* Opens a model by its name, with the rights of a policy's owner. */
static const GsModel *
open_model(const char *name, Oid reader)
{
	Oid			user;
	int			context;
	const GsModel *model;

	GetUserIdAndSecContext(&user, &context);
	if (OidIsValid(reader))
		SetUserIdAndSecContext(reader,
							   context | SECURITY_LOCAL_USERID_CHANGE);
	model = gs_model_load(gs_catalog_open(name), 0);
	SetUserIdAndSecContext(user, context);
	return model;
}

static int
column_of_model(const GsModel *model, const char *name, Oid type,
				const char *table)
{
	const GsSchema *schema = model->schema;

	for (int c = 0; c < schema->ncolumns; c++)
	{
		if (strcmp(schema->columns[c].name, name) != 0)
			continue;
		if (!gs_is_column_of(&schema->columns[c], type))
			ereport(ERROR,
					(errcode(ERRCODE_DATATYPE_MISMATCH),
					 errmsg("column \"%s\" of the model is of type %s, and that of table \"%s\" of type %s",
							name, schema->columns[c].type_name, table,
							format_type_be(type)),
					 errhint("Fit the model to the table as it is.")));
		return c;
	}
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_COLUMN),
			 errmsg("the model has no column \"%s\", which table \"%s\" takes from it",
					name, table),
			 errhint("Name a model of this table's columns: synthesize(model).")));
}

/*
 * The columns that a model was learned to be given, C strings in the current
 * memory context; NIL if its fit did not say.
 */
static List *
find_context(const GsModel *model)
{
	MemoryContext context = CurrentMemoryContext;
	List	   *names = NIL;
	GsAccess	access;
	uint64		n;

	gs_enter(&access);
	n = gs_run_version("SELECT pg_catalog.jsonb_array_elements_text(options"
					   " " GS_OP("->") " 'context')"
					   " FROM gensynth.versions WHERE model " GS_EQ " $1"
					   " AND version " GS_EQ " $2"
					   " AND pg_catalog.jsonb_typeof(options "
					   GS_OP("->") " 'context') " GS_EQ " 'array'",
					   model->name, model->version->version, true);
	for (uint64 i = 0; i < n; i++)
	{
		char	   *name = gs_result_text(i, 1, context);
		MemoryContext old = MemoryContextSwitchTo(context);

		if (name != NULL)
			names = lappend(names, name);
		MemoryContextSwitchTo(old);
	}
	gs_leave(&access);
	return names;
}

/*
 * Marks the columns of a model that stay as they are in the relation, and that
 * it was learned to be given.
 */
static void
find_known(GsSynthesis *synthesis, Part *part, const Bitmapset *changed)
{
	const GsSchema *schema = part->model->schema;
	List	   *context = part->fitted ? NIL : find_context(part->model);

	part->known = palloc0(Max(schema->ncolumns, 1));
	for (int i = 0; i < synthesis->desc->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(synthesis->desc, i);

		if (attribute->attisdropped || bms_is_member(i, changed))
			continue;
		for (int c = 0; c < schema->ncolumns; c++)
			if (strcmp(schema->columns[c].name,
					   NameStr(attribute->attname)) == 0 &&
				(context == NIL ||
				 gs_is_named(context, schema->columns[c].name)) &&
				gs_is_column_of(&schema->columns[c], attribute->atttypid))
				part->known[c] = true;
	}
}

/* Where the values of the columns known will be. */
static void
give_known(GsSynthesis *synthesis, Part *part)
{
	const GsSchema *schema = part->model->schema;

	for (int i = 0; i < synthesis->desc->natts; i++)
		for (int c = 0; c < schema->ncolumns; c++)
			if (part->known[c] && !TupleDescAttr(synthesis->desc,
												 i)->attisdropped &&
				strcmp(schema->columns[c].name,
					   NameStr(TupleDescAttr(synthesis->desc,
											 i)->attname)) == 0)
				part->made->given[c] = (GsRows)
			{
				synthesis->values + i, synthesis->nulls + i,
					synthesis->desc->natts
			};
}

static void
begin_part(GsSynthesis *synthesis, Part *part, const Bitmapset *changed)
{
	const GsSchema *schema;
	bool	   *needed;

	find_known(synthesis, part, changed);
	part->made = gs_known_create(part->model, part->known);
	part->made->rows = synthesis->rows;
	give_known(synthesis, part);
	gs_known_know(part->made);
	schema = part->made->sampler->schema;
	needed = palloc0(Max(schema->nfeatures, 1));
	for (int t = 0; t < part->ntargets; t++)
	{
		Target	   *target = &part->targets[t];

		target->decoder = gs_decoder_create(schema, target->c,
											TupleDescAttr(synthesis->desc,
														  target->at)->atttypid);
		target->keeps_null = !schema->columns[target->c].nullable;
		gs_decoder_needs(target->decoder, needed);
	}
	gs_known_begin(part->made, (int64) synthesis->key[0], needed);
}

/* The part of a model, which may be new. */
static Part *
part_of(GsSynthesis *synthesis, const GsModel *model)
{
	Part	   *part;

	for (int p = 0; p < synthesis->nparts; p++)
		if (synthesis->parts[p].model == model)
			return &synthesis->parts[p];
	part = &synthesis->parts[synthesis->nparts++];
	part->model = model;
	part->targets = palloc0(synthesis->desc->natts * sizeof(Target));
	return part;
}

/* What says which row a row is: its primary key, or all that is stored. */
static void
find_identity(GsSynthesis *synthesis, Relation relation)
{
	int			natts = synthesis->desc->natts;
	Bitmapset  *key = RelationGetIndexAttrBitmap(relation,
												 INDEX_ATTR_BITMAP_PRIMARY_KEY);

	synthesis->identity = palloc(natts * sizeof(int));
	synthesis->output = palloc0(natts * sizeof(FmgrInfo));
	for (int i = 0; i < natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(synthesis->desc, i);
		Oid			output;
		bool		varlena;

		if (attribute->attisdropped || (key != NULL ?
										!bms_is_member(i + 1 - FirstLowInvalidHeapAttributeNumber, key) :
										attribute->attgenerated != '\0'))
			continue;
		getTypeOutputInfo(attribute->atttypid, &output, &varlena);
		fmgr_info(output, &synthesis->output[synthesis->nidentity]);
		synthesis->styled |= gs_masker_is_styled(attribute->atttypid);
		synthesis->identity[synthesis->nidentity++] = i;
	}
}

/*
 * gs_synthesis_begin: makes ready to draw columns of a relation's rows; NULL
 * if none is to be.  In the current memory context.
 *
 * table: a name for hashes and messages.  columns: of GsMaskedColumn, all that
 * are masked.  reader: whose rights models are opened with, or InvalidOid.
 * fitted: the model of columns that name none, or NULL.  Errors: 42703 and
 * 42804 for models of other columns; those of models and samplers.
 */
GsSynthesis *
gs_synthesis_begin(Relation relation, const char *table, const List *columns,
				   const GsPseudonymKey *key, Oid reader,
				   const struct GsModel *fitted)
{
	GsSynthesis *synthesis = palloc0(sizeof(GsSynthesis));
	Oid			relid = RelationGetRelid(relation);
	Bitmapset  *changed = gs_masked_columns(columns, relid);
	Size		cells;
	ListCell   *cell;

	synthesis->desc = CreateTupleDescCopy(RelationGetDescr(relation));
	synthesis->table = pstrdup(table);
	synthesis->parts = palloc0(list_length(columns) * sizeof(Part));
	foreach(cell, columns)
	{
		const GsMaskedColumn *column = lfirst(cell);
		const GsModel *model;
		Target	   *target;
		Part	   *part;

		if (!is_synthesized(column->rule) || column->skip)
			continue;
		model = column->rule->model == NULL ? fitted :
			open_model(column->rule->model, reader);
		if (model == NULL)
			elog(ERROR, "no model was fitted for column \"%s\"", column->name);
		part = part_of(synthesis, model);
		part->fitted = model == fitted;
		target = &part->targets[part->ntargets++];
		target->at = get_attnum(relid, column->name) - 1;
		target->c = column_of_model(model, column->name,
									get_atttype(relid, target->at + 1), table);
	}
	if (synthesis->nparts == 0)
		return NULL;
	gs_siphash_pair(key->word, SYNTHESIS_HASH, 1, synthesis->key);
	find_identity(synthesis, relation);
	cells = (Size) GS_BATCH * synthesis->desc->natts;
	synthesis->values = palloc0(cells * sizeof(Datum));
	synthesis->nulls = palloc(cells);
	memset(synthesis->nulls, true, cells);
	synthesis->rows = palloc0(GS_BATCH * sizeof(uint64));
	synthesis->slot = MakeSingleTupleTableSlot(synthesis->desc,
											   &TTSOpsVirtual);
	synthesis->batch = AllocSetContextCreate(CurrentMemoryContext,
											 "gensynth synthesis",
											 ALLOCSET_DEFAULT_SIZES);
	for (int p = 0; p < synthesis->nparts; p++)
		begin_part(synthesis, &synthesis->parts[p], changed);
	return synthesis;
}

/* A keyed hash of what says which row a row is. */
static uint64
hash_row(GsSynthesis *synthesis, const Datum *values, const bool *nulls)
{
	GsSipHash	hash;
	uint64_t	result[2];
	int			level = 0;

	if (synthesis->styled)
		level = gs_fix_styles();
	gs_siphash_begin(&hash, synthesis->key);
	gs_siphash_add(&hash, synthesis->table, strlen(synthesis->table) + 1);
	for (int i = 0; i < synthesis->nidentity; i++)
	{
		int			at = synthesis->identity[i];
		char	   *text;

		if (nulls[at])
		{
			gs_siphash_add(&hash, "\377", 1);
			continue;
		}
		text = OutputFunctionCall(&synthesis->output[i], values[at]);
		gs_siphash_add(&hash, text, strlen(text) + 1);
	}
	gs_siphash_end(&hash, result);
	if (synthesis->styled)
		gs_end_settings(level);
	return result[0];
}

/*
 * gs_synthesis_put: takes a row, whose columns are those of the relation.
 * Returns whether the batch is full: gs_synthesis_make has to be called then.
 */
bool
gs_synthesis_put(GsSynthesis *synthesis, TupleTableSlot *row)
{
	MemoryContext old = MemoryContextSwitchTo(synthesis->batch);
	int			natts = synthesis->desc->natts;
	Datum	   *values = synthesis->values + (Size) synthesis->n * natts;
	bool	   *nulls = synthesis->nulls + (Size) synthesis->n * natts;

	slot_getallattrs(row);
	for (int i = 0; i < natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(synthesis->desc, i);

		nulls[i] = attribute->attisdropped || row->tts_isnull[i];
		values[i] = nulls[i] ? (Datum) 0 :
			datumCopy(row->tts_values[i], attribute->attbyval,
					  attribute->attlen);
	}
	synthesis->rows[synthesis->n++] = hash_row(synthesis, values, nulls);
	MemoryContextSwitchTo(old);
	return synthesis->n == GS_BATCH;
}

/* The family makes whole batches: fewer rows are filled up with the last. */
static void
fill_up(GsSynthesis *synthesis)
{
	Size		n = synthesis->desc->natts;
	int			last = synthesis->n - 1;

	for (int i = synthesis->n; i < GS_BATCH; i++)
	{
		memcpy(synthesis->values + i * n, synthesis->values + last * n,
			   sizeof(Datum) * n);
		memcpy(synthesis->nulls + i * n, synthesis->nulls + last * n, n);
		synthesis->rows[i] = synthesis->rows[last];
	}
}

static void
decode_target(GsSynthesis *synthesis, Part *part, const Target *target)
{
	int			natts = synthesis->desc->natts;
	GsRows		rows = {synthesis->values + target->at,
	synthesis->nulls + target->at, natts};
	bool		was_null[GS_BATCH];

	for (int row = 0; row < synthesis->n; row++)
		was_null[row] = rows.nulls[row * natts];
	gs_known_decode(part->made, target->decoder, target->c, synthesis->n,
					rows);
	for (int row = 0; row < synthesis->n && target->keeps_null; row++)
		rows.nulls[row * natts] |= was_null[row];
}

/*
 * gs_synthesis_make: draws the columns of the rows that were put, for
 * gs_synthesis_get.  Can be cancelled.
 */
void
gs_synthesis_make(GsSynthesis *synthesis)
{
	MemoryContext old = MemoryContextSwitchTo(synthesis->batch);

	CHECK_FOR_INTERRUPTS();
	synthesis->at = 0;
	if (synthesis->n > 0)
		fill_up(synthesis);
	/* all are drawn given what was read, and only then is it replaced */
	for (int p = 0; p < synthesis->nparts && synthesis->n > 0; p++)
		(void) gs_known_fill(synthesis->parts[p].made, 0);
	for (int p = 0; p < synthesis->nparts && synthesis->n > 0; p++)
		for (int t = 0; t < synthesis->parts[p].ntargets; t++)
			decode_target(synthesis, &synthesis->parts[p],
						  &synthesis->parts[p].targets[t]);
	MemoryContextSwitchTo(old);
}

/*
 * gs_synthesis_get: the next of the rows that were made; NULL after the last,
 * and then rows can be put again.
 */
TupleTableSlot *
gs_synthesis_get(GsSynthesis *synthesis)
{
	TupleTableSlot *slot = synthesis->slot;
	Size		natts = synthesis->desc->natts;

	ExecClearTuple(slot);
	if (synthesis->at >= synthesis->n)
	{
		gs_synthesis_reset(synthesis);
		return NULL;
	}
	memcpy(slot->tts_values, synthesis->values + synthesis->at * natts,
		   sizeof(Datum) * natts);
	memcpy(slot->tts_isnull, synthesis->nulls + synthesis->at * natts, natts);
	synthesis->at++;
	return ExecStoreVirtualTuple(slot);
}

/*
 * gs_synthesis_reset: forgets the rows that were put.
 */
void
gs_synthesis_reset(GsSynthesis *synthesis)
{
	synthesis->n = synthesis->at = 0;
	MemoryContextReset(synthesis->batch);
}

/*
 * gs_synthesis_pass: takes a row, and calls row(arg, slot) on rows that are
 * made: on all that are left if read is NULL.  synthesis: NULL if nothing is
 * drawn.
 */
void
gs_synthesis_pass(GsSynthesis *synthesis, TupleTableSlot *read,
				  void (*row) (void *arg, TupleTableSlot *slot), void *arg)
{
	TupleTableSlot *slot;

	if (synthesis == NULL)
	{
		if (read != NULL)
			row(arg, read);
		return;
	}
	if (read != NULL && !gs_synthesis_put(synthesis, read))
		return;
	gs_synthesis_make(synthesis);
	while ((slot = gs_synthesis_get(synthesis)) != NULL)
		row(arg, slot);
}
