/*
 * together.c
 *	  Models of rows that are made owner by owner: of a table of a dataset, or
 *	  beside the model of a table that was fitted by itself.
 *
 * synth_fit of a table whose rows belong to those of another one, or to
 * sensors and the like, learns besides how they are made together: a model of
 * its own, which is a part of the table's, and which synth_into takes.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

#include "catalog/access.h"
#include "constraint/condition.h"
#include "owner/entity.h"
#include "schema/invent.h"
#include "schema/plan.h"
#include "schema/together.h"
#include "stream/owned.h"

#define MAX_ROWS		1000000	/* of children, that are learned from */
#define COLUMN_BYTES	30		/* of each of their columns */

/*
 * Rows of children that are learned from, at most.
 */
static int64
rows_limit(const GsOwners *owners)
{
	int64		columns = list_length(owners->columns) +
		list_length(owners->others) + 1;
	ListCell   *cell;

	foreach(cell, owners->steps)
		columns += list_length(((const GsOwnerStep *) lfirst(cell))->names);
	return Max(1000, Min(MAX_ROWS, maintenance_work_mem * INT64CONST(1024) /
						 (COLUMN_BYTES * columns)));
}

/*
 * Whether entities that are not to be shown are too few for others to be
 * learned.
 */
static bool
are_few(const GsFitOrder *order, const GsOwners *owners)
{
	return owners->entity && !owners->copied &&
		owners->nentities < gs_fit_least(order->method, order->options);
}

/*
 * How many rows owners have; NULL where all rows are one's.
 */
static GsVersionEntry *
fit_counts(const GsFitOrder *order, const GsOwners *owners, Oid relid)
{
	GsFitOrder	counts = *order;
	const GsOwnerStep *step = linitial(owners->steps);
	List	   *known = NIL;
	GsSource   *source;
	ListCell   *cell;

	if (owners->entity && step->columns == NIL)
		return NULL;
	counts.model = gs_owners_counts_model(order->model);
	source = are_few(order, owners) ? gs_invent_entities(owners, relid) :
		gs_source_open(gs_owners_counts_query(owners, relid), NIL, NIL);
	if (owners->copied || are_few(order, owners))
		counts.options = DatumGetJsonbP(DirectFunctionCall1(jsonb_in,
															CStringGetDatum("{\"public\": true, \"rare_threshold\": 1}")));
	else if (owners->entity && list_length(step->columns) == 1)
		source->unique = step->columns;
	foreach(cell, owners->entity ? NIL : owners->steps)
		known = list_concat(known, ((GsOwnerStep *) lfirst(cell))->names);
	return gs_fit_source(&counts, source, known, NIL, NULL, NIL);
}

/*
 * gs_fit_owned: learns and stores models of rows that belong to owners, and of
 * how many each has, in the current context.
 *
 * relid: the table of the rows; tensors: to be kept with their model; *counts:
 * set to the latter, NULL if all rows are one's.  To be called within an SPI
 * connection.  Errors: those of synth_fit.
 */
GsVersionEntry *
gs_fit_owned(const GsFitOrder *order, GsOwners *owners, Oid relid,
			 List *tensors, GsVersionEntry **counts)
{
	GsFitOrder	rows = *order;
	List	   *context = NIL;
	GsSource   *source;

	*counts = fit_counts(order, owners, relid);
	source = gs_owners_source(owners, relid, rows_limit(owners), &context);
	/* those that were made up are taken over */
	owners->copied |= are_few(order, owners);
	/* the first generation knows nothing to look up from */
	rows.independent = owners->ngenerations > 0;
	return gs_fit_source(&rows, source, context, owners->conditions,
						 gs_owners_save(owners), tensors);
}

static bool
is_moment(Oid relid, const char *column)
{
	Oid			type = get_atttype(relid, get_attnum(relid, column));

	return type == DATEOID || type == TIMESTAMPOID || type == TIMESTAMPTZOID;
}

/*
 * Whether there is something to gain from making rows owner by owner: they
 * know something of their owner, or have an order.
 */
static bool
is_worth_it(const GsOwners *owners, Oid relid)
{
	bool		tells = owners->order_by != NULL &&
		gs_is_named(owners->columns, owners->order_by);
	ListCell   *cell;

	/* pairs of numbers are no series */
	if (owners->entity && !(tells && is_moment(relid, owners->order_by)))
		return false;

	foreach(cell, owners->steps)
	{
		const GsOwnerStep *step = lfirst(cell);
		ListCell   *name;

		/* a key says who he is, not what he is like */
		foreach(name, step->known)
			tells |= !gs_is_named(step->parent_columns, lfirst(name));
	}
	return owners->steps != NIL && tells;
}

/*
 * gs_together_part: learns and stores how the rows of a table are made
 * together, as a part of a model, which has yet to be learned.  Returns tensors
 * of that one.
 */
List *
gs_together_part(const GsFitOrder *whole, GsOwners *owners, Oid relid)
{
	GsFitOrder	order = *whole;
	GsVersionEntry *counts;
	List	   *tensors = NIL;
	int32		number;

	order.model = gs_part_name(whole->model);
	order.part = true;
	number = gs_fit_owned(&order, owners, relid, NIL, &counts)->version;
	gs_tensor_add(&tensors, GS_TOGETHER, GS_I4, 1, 1, 0, &number);
	return tensors;
}

static void
learn_parts(Oid relid, const char *model, Datum options, int64 seed,
			GsVersionEntry *version)
{
	int			t;
	GsSchemaPlan *plan = gs_table_plan(relid, &t);
	GsFitOrder	order = {.model = model,.method = "auto",
		.options = DatumGetJsonbP(options),.seed = seed
	};
	GsOwners   *owners;

	if (t < 0)
		return;
	owners = gs_owners_find(plan, t);
	if (!is_worth_it(owners, relid))
		return;
	version->tensors = list_concat(version->tensors,
								   gs_together_part(&order, owners, relid));
	version->notes = lappend(version->notes, owners->entity ?
							 pstrdup("synth_into makes rows one after the other") :
							 pstrdup("synth_into makes rows parent by parent, one after the other"));
}

/*
 * gs_together_learn: if the rows of a table belong together, learns how, in the
 * current context, as a part of the version to be: its tensors and notes are
 * added to.  Where that fails, a note says why.
 *
 * model: its name; options, seed: of the fit.  To be called within an SPI
 * connection.
 */
void
gs_together_learn(Oid relid, const char *model, Datum options, int64 seed,
				  GsVersionEntry *version)
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	List	   *tensors = version->tensors;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(context);
	PG_TRY();
	{
		learn_parts(relid, model, options, seed, version);
		ReleaseCurrentSubTransaction();
		MemoryContextSwitchTo(context);
		CurrentResourceOwner = owner;
	}
	PG_CATCH();
	{
		ErrorData  *error;

		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		if (!gs_is_forgiven(error->sqlerrcode))
			PG_RE_THROW();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
		MemoryContextSwitchTo(context);
		CurrentResourceOwner = owner;
		version->tensors = tensors;
		/* its message may hold values of rows, and notes are read by more */
		version->notes = lappend(version->notes,
								 psprintf("rows are not made together with those that they belong to: learning that raised an error, SQLSTATE %s",
										  unpack_sql_state(error->sqlerrcode)));
	}
	PG_END_TRY();
}
