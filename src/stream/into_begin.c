/*
 * into_begin.c
 *	  What synth_into needs before it makes rows: by which model, for which
 *	  owners, and where a fill goes on.
 */
#include "postgres.h"

#include "access/table.h"
#include "access/tableam.h"
#include "catalog/pg_inherits.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "catalog/access.h"
#include "compat.h"
#include "key/key.h"
#include "owner/owners.h"
#include "stream/continue.h"
#include "stream/deferred.h"
#include "stream/into_call.h"

/*
 * gs_into_forget_statement: the statement that forgets unfinished fills, for hints.
 */
char *
gs_into_forget_statement(const GsInto *call)
{
	/* shown, not run */
	return psprintf("DELETE FROM %s.synth_fills WHERE target = %s",
					call->functions, quote_literal_cstr(call->fill.target));
}

/*
 * Whether a table holds a row that the statement can see, whatever the
 * caller's rights.  One whose triggers or rules may have led rows elsewhere
 * counts as one that does.
 */
static bool
holds_rows(Relation relation)
{
	TupleTableSlot *slot;
	TableScanDesc scan;
	bool		holds;

	if ((relation->trigdesc && relation->trigdesc->trig_insert_before_row) ||
		relation->rd_rules != NULL ||
		relation->rd_rel->relkind == RELKIND_FOREIGN_TABLE)
		return true;
	if (relation->rd_rel->relkind == RELKIND_PARTITIONED_TABLE)
		return false;			/* its partitions do */
	slot = table_slot_create(relation, NULL);
	scan = gs_beginscan(relation, GetActiveSnapshot());
	holds = table_scan_getnextslot(scan, ForwardScanDirection, slot);
	table_endscan(scan);
	ExecDropSingleTupleTableSlot(slot);
	return holds;
}

/*
 * gs_into_lost_rows: whether the target has no rows: the batches that were put into it have been
 * deleted or truncated, or it is another table by now.
 */
bool
gs_into_lost_rows(const GsInto *call)
{
	char		kind = get_rel_relkind(call->relid);
	bool		lost = true;
	ListCell   *cell;

	if (kind != RELKIND_RELATION && kind != RELKIND_PARTITIONED_TABLE)
		return false;
	foreach(cell, find_all_inheritors(call->relid, RowExclusiveLock, NULL))
	{
		Relation	relation = table_open(lfirst_oid(cell), NoLock);

		lost = lost && !holds_rows(relation);
		table_close(relation, NoLock);
	}
	return lost;
}

/*
 * gs_into_next_row: the next row, which need not be good; false if there is
 * none.
 */
bool
gs_into_next_row(GsInto *call, Datum **values, bool **nulls)
{
	if (call->owned == NULL)
		return gs_stream_next(call->stream, values, nulls);
	call->owned_rows++;
	return gs_owned_next(call->owned, values, nulls);
}

static GsOwned *
owned_rows(const GsInto *call)
{
	GsOwned    *owned = gs_owned_open(call->sampler->model, call->counts,
									  call->relid, call->target->desc,
									  call->target->constraints, call->fks,
									  call->fill.seed,
									  call->any_n ? -1 : call->fill.n, call->after,
									  call->fill.given.isnull ? NULL :
									  DatumGetJsonbP(call->fill.given.value));

	if (call->plain != NULL)
		gs_owned_stand_out(owned, call->plain->model,
						   call->target->constraints, call->owned_others);
	return owned;
}

/*
 * An error if rows are to go on after others, and cannot.
 */
static void
check_after(const GsInto *call, const GsOwners *owners)
{
	if (!call->after)
		return;
	if (owners == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("rows of model \"%s\" cannot go on after those of %s",
						call->fill.model, call->fill.target),
				 errdetail("They belong to no series and no parents, or %s lacks what these are known by.",
						   call->fill.target),
				 errhint("Leave start_after out for rows by themselves.")));
	if (owners->ngenerations > 0)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("rows of model \"%s\" belong to rows of their own table, and cannot go on after others",
						call->fill.model),
				 errhint("Leave start_after out for rows by themselves.")));
	if (owners->entity && gs_into_lost_rows(call))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("%s has no rows to go on after", call->fill.target),
				 errhint("Leave start_after out to begin anew.")));
}

/*
 * Finds out whether rows are to be made owner by owner, by the model or by the
 * part of it that does so, if there is anything to go by.
 */
static void
choose_rows(GsInto *call)
{
	const GsModel *model = call->sampler->model;
	const GsTensor *together = gs_tensor_find(model->version->tensors,
											  GS_TOGETHER);
	const char *name = model->name;
	int			version = 0;
	const GsModelEntry *entry;

	if (model->version->owners == NULL)
	{
		if (together == NULL || !call->fill.given.isnull ||
			call->fill.start != 1)
		{
			check_after(call, NULL);
			return;
		}
		if (together->type != GS_I4 || together->ndims != 1 ||
			together->dims[0] != 1)
			gs_corrupted("Tensor \"%s\" has the wrong shape.", GS_TOGETHER);
		name = gs_part_name(name);
		version = *(const int32 *) together->data;
		entry = gs_catalog_find(name);
		if (entry == NULL || version < 1)
			gs_corrupted("Model \"%s\" lacks a part.", model->name);
		model = gs_model_load(entry, version);
		if (!gs_owners_are_there(gs_owners_load(model->version->owners),
								 call->relid))
		{
			check_after(call, NULL);
			return;
		}
		call->plain = call->sampler;
		/* as many as by themselves */
		call->any_n = false;
		call->sampler = gs_sampler_begin(model, NULL, NULL);
	}
	check_after(call, gs_owners_load(model->version->owners));
	if (gs_owners_are_one(gs_owners_load(model->version->owners)))
		return;
	entry = gs_catalog_find(gs_owners_counts_model(name));
	if (entry == NULL)
		gs_corrupted("The model of the rows that owners have of \"%s\" is not there.",
					 name);
	call->counts = gs_model_load(entry, version);
}

/*
 * Rows from the one on that is numbered first, from 0, of the fill.
 */
static void
open_rows(GsInto *call, int64 first)
{
	const GsFill *fill = &call->fill;

	first += fill->start - 1;
	if (call->sampler->model->version->owners == NULL)
	{
		call->stream = gs_stream_open(call->sampler, call->target->desc,
									  fill->seed);
		gs_stream_seek(call->stream, first, fill->start - 1 + fill->drawn);
		return;
	}
	call->owned = owned_rows(call);
	gs_owned_scale(call->owned, call->owned_total, fill->n);
	if (call->plain != NULL)
		gs_owned_keep_all(call->owned);
	gs_owned_skip(call->owned, first);
	call->owned_rows = first;
}

/*
 * Foreign keys of a fill that goes on: they depend on some rows before.
 */
static void
open_foreign_keys(GsInto *call)
{
	const GsFill *fill = &call->fill;
	int64		row;
	Datum	   *values;
	bool	   *nulls;

	call->fks = gs_foreign_keys_open(call->target, call->sampler, fill->seed,
									 fill->n, !call->commits);
	gs_deferred_begin(call->fks, fill, call->relid);
	row = gs_foreign_keys_first(call->fks, fill->drawn);
	if (row == fill->drawn)
		return;
	open_rows(call, row);
	for (; row < fill->drawn && gs_into_next_row(call, &values, &nulls); row++)
		if (values != NULL)
			(void) gs_foreign_keys_fill(call->fks, row, values, nulls);
}

/*
 * Whether a column is of a foreign key.
 */
static bool
refers(const GsTarget *target, const char *name)
{
	ListCell   *cell;

	foreach(cell, target->constraints)
	{
		const GsConstraint *constraint = lfirst(cell);

		if (constraint->kind == GS_CONSTRAINT_FOREIGN_KEY &&
			gs_is_named(constraint->columns, name))
			return true;
	}
	return false;
}

/*
 * Whether no index of the target can refuse rows that are made owner by owner:
 * each is about a key, or rows of the same owner, which are made to differ.
 */
static bool
indexes_fit(const GsInto *call)
{
	const GsTarget *target = call->target;
	const GsModel *model = call->sampler->model;
	const GsOwners *owners = gs_owners_load(model->version->owners);
	const GsOwnerStep *step = linitial(owners->steps);

	for (int i = 0; i < target->nindexes; i++)
	{
		const GsTargetIndex *index = &target->index[i];
		bool		within = true;
		int			at;
		ListCell   *cell;

		if (index->exclusion || !index->plain)
			return false;
		foreach(cell, step->columns)
		{
			at = gs_target_column(target, lfirst(cell));
			within &= at >= 0 && bms_is_member(at, index->columns);
		}
		at = -1;
		while ((at = bms_next_member(index->columns, at)) >= 0)
		{
			const char *name = NameStr(TupleDescAttr(target->desc, at)->attname);
			int			c = gs_schema_column(model->schema, name);
			bool		key = c >= 0 && model->schema->columns[c].key != NULL;
			bool		made = gs_is_named(step->columns, name);

			foreach(cell, owners->references)
				made |= gs_is_named(((const GsOwnerStep *) lfirst(cell))->columns,
									name);
			if (!made && refers(target, name))
				return false;

			if (!(made || c >= 0) || !(within || key))
				return false;
		}
	}
	return true;
}

/*
 * Whether the target holds no rows but those of this fill.
 */
static bool
holds_no_others(const GsInto *call)
{
	if (call->fill.done == 0)
		return gs_into_lost_rows(call);
	if (pg_class_aclcheck(call->relid, GetUserId(),
						  ACL_SELECT) != ACLCHECK_OK)
		return true;
	gs_run(psprintf("SELECT pg_catalog.count(*) FROM %s", call->fill.target),
		   0, NULL, NULL, NULL, false);
	return DatumGetInt64(gs_result(0, 1, NULL)) <= call->fill.done;
}

/*
 * The target, and how many rows owners have together.
 */
static void
open_target(GsInto *call)
{
	call->target = gs_target_open(call->relid, call->sampler->model);
	if (call->sampler->model->version->owners == NULL)
		return;
	/* rows that are refused are not made up for, and keys begin anew */
	if (call->plain == NULL || (call->target->nchecks == 0 &&
								indexes_fit(call) &&
								(call->after || holds_no_others(call))))
		call->owned_total = gs_owned_count(owned_rows(call),
										   &call->owned_others);
	if (call->owned_total == 0 && call->plain != NULL)
	{
		check_after(call, NULL);
		call->sampler = call->plain;
		call->target = gs_target_open(call->relid, call->sampler->model);
		return;
	}
	/* those whose keys could not be made to differ are left out */
	call->skip_conflicts = true;
	if ((call->fill.done == 0 && call->any_n) || call->owned_total == 0)
		call->fill.n = call->owned_total;
}

/*
 * gs_into_begin_rows: what is needed to make rows, once it is known which.
 */
void
gs_into_begin_rows(GsInto *call)
{
	const GsFill *fill = &call->fill;

	choose_rows(call);
	open_target(call);
	if (fill->n == 0)
		return;
	if (!gs_target_begin_keys(call->sampler, fill))
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("the fill of %s does not say where its keys began",
						fill->target),
				 errhint("The batches before that stay in the table.  To start anew, %s.",
						 gs_into_forget_statement(call))));
	open_foreign_keys(call);
	gs_target_continue_keys(call->target, call->sampler, &call->fill);
	open_rows(call, fill->drawn);
	call->shift = gs_shift_open(call->target);
	call->sorting = gs_sorting_open(call->target, call->sampler->schema);
	if (!call->target->makes_up || call->skip_conflicts)
		return;
	call->ties = gs_repair_ties(call->target, call->sampler);
	call->grid = gs_grid_open(call->target, call->sampler, call->fks,
							  call->ties, fill->seed);
	call->repair = gs_repair_open(call->target, call->sampler, call->ties,
								  fill->seed);
}
