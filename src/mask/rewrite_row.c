/*
 * rewrite_row.c
 *	  What follows from masked columns in a row, and what must hold of it:
 *	  generated columns, NOT NULL, CHECK, and the bounds of the partition.
 *
 * Only what depends on masked columns is looked at: all else holds as it did,
 * and stays the same to the bit.  Constraints that are not valid are left
 * alone.  No message shows a row.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/sysattr.h"
#include "access/table.h"
#include "executor/executor.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "rewrite/rewriteHandler.h"
#include "storage/bufmgr.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/partcache.h"
#include "utils/rel.h"

#include "compat.h"
#include "mask/rewrite.h"

typedef struct Generated
{
	int			at;
	ExprState  *state;
} Generated;

typedef struct Check
{
	const char *name;			/* NULL: the partition's bounds */
	ExprState  *state;
} Check;

struct GsMaskRow
{
	Relation	relation;
	EState	   *estate;
	Bitmapset  *changed;		/* columns, from FirstLowInvalidHeapAttributeNumber */
	int			ngenerated;
	Generated  *generated;
	int			nchecks;
	Check	   *checks;
	int			nnot_null;
	int		   *not_null;		/* places of columns, from 0 */
	bool		runs_code;		/* of who made the table */
};

static bool
did_not_come_with(Oid function, void *context)
{
	return function >= FirstUnpinnedObjectId;
}

/* Whether an expression runs functions, or domains' checks, of users. */
static bool
runs_code(Node *node, void *context)
{
	if (node == NULL)
		return false;
	return IsA(node, CoerceToDomain) ||
		check_functions_in_node(node, did_not_come_with, NULL) ||
		expression_tree_walker(node, runs_code, context);
}

static bool
follows(const GsMaskRow *row, Node *expression)
{
	Bitmapset  *used = NULL;

	pull_varattnos(expression, 1, &used);
	/* the whole row */
	return bms_overlap(used, row->changed) ||
		bms_is_member(0 - FirstLowInvalidHeapAttributeNumber, used);
}

static void
add_generated(GsMaskRow *row, bool virtual)
{
	TupleDesc	desc = RelationGetDescr(row->relation);
	Bitmapset  *computed = NULL;

	row->generated = palloc0(desc->natts * sizeof(Generated));
	for (int i = 0; i < desc->natts; i++)
	{
		Node	   *expression;

		if (TupleDescAttr(desc, i)->attisdropped ||
			TupleDescAttr(desc, i)->attgenerated == '\0')
			continue;
		expression = build_column_default(row->relation, i + 1);
		if (!follows(row, expression))
			continue;
		computed = bms_add_member(computed, i + 1 -
								  FirstLowInvalidHeapAttributeNumber);
		/* virtual ones, of 18, are nothing that is stored */
		if (!virtual &&
			TupleDescAttr(desc, i)->attgenerated != ATTRIBUTE_GENERATED_STORED)
			continue;
		row->runs_code |= runs_code(expression, NULL);
		row->generated[row->ngenerated].at = i;
		row->generated[row->ngenerated++].state =
			ExecPrepareExpr((Expr *) expression, row->estate);
	}
	/* a generated column depends on no other one */
	row->changed = bms_add_members(row->changed, computed);
}

static void
add_checks(GsMaskRow *row)
{
	TupleConstr *constr = RelationGetDescr(row->relation)->constr;
	int			n = constr != NULL ? constr->num_check : 0;
	List	   *bounds = RelationGetPartitionQual(row->relation);

	row->checks = palloc0((n + 1) * sizeof(Check));
	for (int i = 0; i < n; i++)
	{
		Node	   *expression;

		if (!constr->check[i].ccvalid)
			continue;
		expression = stringToNode(constr->check[i].ccbin);
		expression = gs_expand_generated(expression, row->relation);
		if (!follows(row, expression))
			continue;
		row->runs_code |= runs_code(expression, NULL);
		row->checks[row->nchecks].name = constr->check[i].ccname;
		row->checks[row->nchecks++].state =
			ExecPrepareExpr((Expr *) expression, row->estate);
	}
	if (bounds != NIL && follows(row, (Node *) bounds))
	{
		row->runs_code |= runs_code((Node *) bounds, NULL);
		row->checks[row->nchecks++].state = ExecPrepareCheck(bounds,
															 row->estate);
	}
}

/*
 * gs_mask_row_begin: sets up what gs_mask_row_settle does for the rows of a
 * table or a partition, in the current memory context.
 */
GsMaskRow *
gs_mask_row_begin(Relation relation, const GsMaskTable *table)
{
	GsMaskRow  *row = palloc0(sizeof(GsMaskRow));
	TupleDesc	desc = RelationGetDescr(relation);
	ListCell   *cell;
	int			i = -1;

	row->relation = relation;
	row->estate = CreateExecutorState();
	foreach(cell, table->columns)
	{
		const GsMaskColumn *column = lfirst(cell);
		AttrNumber	attnum = get_attnum(RelationGetRelid(relation),
										column->name);
		Oid			type = get_atttype(RelationGetRelid(relation), attnum);
		Oid			element = get_base_element_type(type);

		row->changed = bms_add_member(row->changed, attnum -
									  FirstLowInvalidHeapAttributeNumber);
		/* values are read into domains */
		row->runs_code |= getBaseType(type) != type ||
			(OidIsValid(element) && getBaseType(element) != element);
	}
	add_generated(row, table->reading);
	add_checks(row);
	row->not_null = palloc(desc->natts * sizeof(int));
	while ((i = bms_next_member(row->changed, i)) >= 0)
	{
		int			at = i + FirstLowInvalidHeapAttributeNumber - 1;

		if (TupleDescAttr(desc, at)->attnotnull)
			row->not_null[row->nnot_null++] = at;
	}
	return row;
}

/*
 * gs_mask_row_runs_code: whether making a row runs functions, or domains'
 * checks, of users: gs_mask_row_begin and gs_mask_row_make are to be called as
 * the table's owner then, who chose them.
 */
bool
gs_mask_row_runs_code(const GsMaskRow *row)
{
	return row->runs_code;
}

/*
 * gs_mask_row_context: memory that lives for a row; to be reset by the caller.
 */
ExprContext *
gs_mask_row_context(GsMaskRow *row)
{
	return GetPerTupleExprContext(row->estate);
}

/*
 * gs_mask_row_end: frees what gs_mask_row_begin took.
 */
void
gs_mask_row_end(GsMaskRow *row)
{
	FreeExecutorState(row->estate);
}

static void
check_not_null(const GsMaskRow *row, const TupleTableSlot *slot)
{
	for (int i = 0; i < row->nnot_null; i++)
		if (slot->tts_isnull[row->not_null[i]])
			ereport(ERROR,
					(errcode(ERRCODE_NOT_NULL_VIOLATION),
					 errmsg("masked rows of table \"%s\" have NULL in column \"%s\", which is not null",
							RelationGetRelationName(row->relation),
							NameStr(TupleDescAttr(RelationGetDescr(row->relation),
												  row->not_null[i])->attname)),
					 errhint("Choose another rule.")));
}

/*
 * Computes generated columns of a masked row, and looks
 * whether it may be in its table.
 *
 * slot: a virtual one, with the row.  last: an error (23514) if it fails a
 * condition; else returns false then.  Errors: 23502.
 */
static bool
settle(GsMaskRow *row, TupleTableSlot *slot, bool last)
{
	ExprContext *context = GetPerTupleExprContext(row->estate);

	context->ecxt_scantuple = slot;
	for (int i = 0; i < row->ngenerated; i++)
	{
		Generated  *generated = &row->generated[i];
		bool		isnull;
		Datum		value = ExecEvalExprSwitchContext(generated->state, context,
													  &isnull);

		slot->tts_values[generated->at] = value;
		slot->tts_isnull[generated->at] = isnull;
	}
	check_not_null(row, slot);
	for (int i = 0; i < row->nchecks; i++)
	{
		if (ExecCheck(row->checks[i].state, context))
			continue;
		if (!last)
			return false;
		if (row->checks[i].name == NULL)
			ereport(ERROR,
					(errcode(ERRCODE_CHECK_VIOLATION),
					 errmsg("masked rows of \"%s\" belong to other partitions",
							RelationGetRelationName(row->relation)),
					 errhint("Keep the partition key, or generalise it within the partitions' bounds.")));
		ereport(ERROR,
				(errcode(ERRCODE_CHECK_VIOLATION),
				 errmsg("masked rows of table \"%s\" violate check constraint \"%s\"",
						RelationGetRelationName(row->relation),
						row->checks[i].name),
				 errhint("Choose a rule whose values meet the constraint."),
				 errtableconstraint(row->relation, row->checks[i].name)));
	}
	return true;
}

/*
 * gs_mask_row_make: a masked row.  Where values fail a condition, others are
 * tried.
 *
 * read: a row, with all its columns.  made: a virtual slot.  What is new is in
 * the current memory context.  Errors: those of gs_masker_row, 23502, 23514.
 */
void
gs_mask_row_make(GsMaskRow *row, GsMasker *masker, TupleTableSlot *read,
				 TupleTableSlot *made)
{
	TupleDesc	desc = RelationGetDescr(row->relation);
	int			attempts = gs_masker_attempts(masker);

	for (int attempt = 0; attempt < attempts; attempt++)
	{
		bool		last = attempt + 1 == attempts;

		ExecClearTuple(made);
		memcpy(made->tts_values, read->tts_values,
			   desc->natts * sizeof(Datum));
		memcpy(made->tts_isnull, read->tts_isnull, desc->natts * sizeof(bool));
		/* what was in dropped columns is not taken along */
		for (int i = 0; i < desc->natts; i++)
			if (TupleDescAttr(desc, i)->attisdropped)
				made->tts_isnull[i] = true;
		if (!gs_masker_row(masker, made->tts_values, made->tts_isnull, attempt,
						   last))
			continue;
		ExecStoreVirtualTuple(made);
		made->tts_tableOid = RelationGetRelid(row->relation);
		if (settle(row, made, last))
			break;
	}
}


/*
 * gs_mask_count_digits: digits of more rows than a table's pages can hold.
 */
int
gs_mask_count_digits(const GsMaskTable *table)
{
	double		rows = 1;
	int			digits = 1;
	ListCell   *cell;

	foreach(cell, table->leaves)
	{
		Relation	relation = table_open(lfirst_oid(cell), AccessShareLock);

		rows += (double) RelationGetNumberOfBlocks(relation) *
			MaxHeapTuplesPerPage;
		table_close(relation, AccessShareLock);
	}
	while (rows >= 10)
	{
		rows /= 10;
		digits++;
	}
	return digits;
}

static List *
masked_columns(const GsMaskTable *table)
{
	List	   *columns = NIL;
	ListCell   *cell;

	foreach(cell, table->columns)
	{
		const GsMaskColumn *column = lfirst(cell);
		GsMaskedColumn *masked = palloc0(sizeof(GsMaskedColumn));

		masked->name = column->name;
		masked->rule = column->rule;
		masked->unique = column->unique;
		masked->most = column->most;
		columns = lappend(columns, masked);
	}
	return columns;
}

/*
 * gs_mask_begin: sets up the masking of rows that are written for a relation:
 * the table, a partition, or a copy.  See gs_masker_begin.
 */
GsMasker *
gs_mask_begin(Relation relation, const GsMaskTable *table,
			  const GsPseudonymKey *key, int digits, uint64 *counter)
{
	GsMasker   *masker = gs_masker_begin(relation, get_rel_name(table->relid),
										 masked_columns(table), table->kept,
										 key, digits, counter);

	if (table->places != NULL)
		gs_masker_places(masker, relation, table->places);
	return masker;
}

/*
 * gs_mask_synthesis: sets up the columns that are drawn from models; NULL if
 * none is.  See gs_synthesis_begin.
 */
GsSynthesis *
gs_mask_synthesis(Relation relation, const GsMaskTable *table,
				  const GsPseudonymKey *key)
{
	return gs_synthesis_begin(relation, get_rel_name(table->relid),
							  masked_columns(table), key, InvalidOid,
							  table->fitted);
}
