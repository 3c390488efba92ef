/*
 * cache.c
 *	  Models that a session has loaded, and keeps.
 *
 * Versions never change, so what was read once can be sampled again; who may
 * is found out anew each time, before.  A model is let go of when its rows of
 * the catalog may be others after all: their tables' triggers, on whatever
 * changes them, send an invalidation of gensynth.versions, which comes with
 * the transaction's end, or at once in the session that made it.  If a type of
 * a column did not come with PostgreSQL, any change of a type does the same.
 */
#include "postgres.h"

#include "access/transam.h"
#include "catalog/namespace.h"
#include "commands/trigger.h"
#include "lib/ilist.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/syscache.h"
#include "utils/uuid.h"

#include "compat.h"
#include "model/refine.h"

#define MAX_BYTES	(64 * 1024 * 1024)	/* of models that nothing samples */

typedef struct CachedModel
{
	dlist_node	node;			/* the least recently used comes first */
	GsModel		model;
	MemoryContext context;		/* of all this */
	int			pins;			/* samplers, or what will be */
	bool		stale;			/* not to be sampled any more */
	bool		foreign_types;	/* some did not come with PostgreSQL */
} CachedModel;

static dlist_head models = DLIST_STATIC_INIT(models);
static Oid	versions = InvalidOid;	/* the table, once a model was loaded */

/*
 * gensynth.models_changed: the trigger of the tables that models are read
 * from.
 */
GS_FUNCTION(gensynth_models_changed);

Datum
gensynth_models_changed(PG_FUNCTION_ARGS)
{
	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("gensynth.models_changed() is called by triggers only"),
				 errhint("There is nothing to call it for.")));
	CacheInvalidateRelcacheByRelid(get_relname_relid("versions",
													 get_namespace_oid("gensynth", false)));
	return PointerGetDatum(NULL);
}

static void
on_relation(Datum arg, Oid relid)
{
	dlist_iter	iter;

	if (OidIsValid(relid) && relid != versions)
		return;
	dlist_foreach(iter, &models)
		dlist_container(CachedModel, node, iter.cur)->stale = true;
}

static void
on_type(Datum arg, int cacheid, uint32 hash)
{
	dlist_iter	iter;

	dlist_foreach(iter, &models)
	{
		CachedModel *cached = dlist_container(CachedModel, node, iter.cur);

		cached->stale |= cached->foreign_types;
	}
}

/*
 * Lets go of models that are stale, and of those used least recently while
 * they take too much memory, unless they are pinned.
 */
static void
evict(void)
{
	Size		bytes = 0;
	dlist_mutable_iter iter;
	dlist_iter	each;

	dlist_foreach(each, &models)
	{
		CachedModel *cached = dlist_container(CachedModel, node, each.cur);

		if (cached->pins == 0)
			bytes += MemoryContextMemAllocated(cached->context, true);
	}
	dlist_foreach_modify(iter, &models)
	{
		CachedModel *cached = dlist_container(CachedModel, node, iter.cur);

		if (cached->pins > 0 || (!cached->stale && bytes <= MAX_BYTES))
			continue;
		bytes -= MemoryContextMemAllocated(cached->context, true);
		dlist_delete(&cached->node);
		MemoryContextDelete(cached->context);
	}
}

static void
unpin(void *arg)
{
	((CachedModel *) arg)->pins--;
}

/*
 * Keeps a model until the current context is reset or deleted.
 */
static const GsModel *
pin(CachedModel *cached)
{
	MemoryContextCallback *callback = palloc(sizeof(MemoryContextCallback));

	callback->func = unpin;
	callback->arg = cached;
	MemoryContextRegisterResetCallback(CurrentMemoryContext, callback);
	cached->pins++;
	return &cached->model;
}

static CachedModel *
find(const GsModelEntry *entry, int version)
{
	dlist_iter	iter;

	dlist_foreach(iter, &models)
	{
		CachedModel *cached = dlist_container(CachedModel, node, iter.cur);

		if (!cached->stale && cached->model.version->version == version &&
			memcmp(&cached->model.id, &entry->id, sizeof(pg_uuid_t)) == 0)
			return cached;
	}
	return NULL;
}

/*
 * Sets up a model from a version whose schema is loaded.
 */
static void
set_up(GsModel *model, const GsVersionEntry *version, const char *name)
{
	const List *tensors = version->tensors;

	model->name = name;
	model->version = version;
	model->schema = version->schema;
	model->family = gs_family_find(version->method);
	if (model->family == NULL)
		gs_corrupted("Version %d of model \"%s\" is of an unknown method.",
					 version->version, name);
	model->determined = gs_dependency_load(model->schema, tensors);
	model->state = model->family->load(model->schema, tensors);
	model->refine = gs_refine_load(model->schema, tensors);
}

/*
 * gs_model_of: a model that is not stored, in the current context.
 */
GsModel *
gs_model_of(const GsVersionEntry *version, const char *name)
{
	GsModel    *model = palloc0(sizeof(GsModel));

	set_up(model, version, name);
	return model;
}

static void
read_model(CachedModel *cached, const GsModelEntry *entry, int version)
{
	GsModel    *model = &cached->model;

	model->id = entry->id;
	set_up(model, gs_catalog_load(entry, version), pstrdup(entry->name));
	for (int c = 0; c < model->schema->ncolumns; c++)
		cached->foreign_types |=
			model->schema->columns[c].type >= FirstUnpinnedObjectId;
}

/*
 * Reads a model that is in the list meanwhile, so that an invalidation does not
 * escape it.  An error takes it out.
 */
static void
read_listed(CachedModel *cached, const GsModelEntry *entry, int version)
{
	cached->pins = 1;
	dlist_push_tail(&models, &cached->node);
	PG_TRY();
	{
		read_model(cached, entry, version);
	}
	PG_CATCH();
	{
		dlist_delete(&cached->node);
		PG_RE_THROW();
	}
	PG_END_TRY();
	cached->pins = 0;
}

/*
 * gs_model_load: a version of a model; 0 for the current one.  It is there
 * until the current context is reset or deleted.
 *
 * entry: what gs_catalog_open allowed.  Errors: see gs_catalog_load.
 */
const GsModel *
gs_model_load(const GsModelEntry *entry, int version)
{
	static bool registered = false;
	CachedModel *cached;
	MemoryContext context;
	MemoryContext caller = CurrentMemoryContext;

	gs_model_need_stack();
	if (version == 0)
		version = entry->current;
	if (!registered)
	{
		CacheRegisterRelcacheCallback(on_relation, (Datum) 0);
		CacheRegisterSyscacheCallback(TYPEOID, on_type, (Datum) 0);
		CacheRegisterSyscacheCallback(ENUMOID, on_type, (Datum) 0);
		registered = true;
	}
	evict();
	cached = find(entry, version);
	if (cached != NULL)
	{
		dlist_delete(&cached->node);
		dlist_push_tail(&models, &cached->node);
		return pin(cached);
	}
	versions = get_relname_relid("versions",
								 get_namespace_oid("gensynth", false));
	context = AllocSetContextCreate(caller, "gensynth model",
									ALLOCSET_DEFAULT_SIZES);
	MemoryContextSwitchTo(context);
	cached = palloc0(sizeof(CachedModel));
	cached->context = context;
	read_listed(cached, entry, version);
	MemoryContextSetParent(context, CacheMemoryContext);
	MemoryContextSwitchTo(caller);
	return pin(cached);
}
