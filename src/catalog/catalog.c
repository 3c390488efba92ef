/*
 * catalog.c
 *	  Models by their names, and who may do what with them: the tables
 *	  gensynth.models and gensynth.grants.
 *
 * Between gs_enter() and gs_leave() the user is the tables' owner (see
 * access.c); who may do what is checked here, for whoever calls.
 *
 * There are no foreign keys: a restore fills the tables in any order.  What
 * they would guard is guarded by locks on the model's row: who adds something
 * to a model holds gs_catalog_lock() on it, and so does who takes it away.
 */
#include "postgres.h"

#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/varlena.h"

#include "compat.h"
#include "catalog/access.h"
#include "catalog/alike.h"
#include "catalog/catalog.h"
#include "catalog/datasets.h"
#include "table/source.h"

/* What read_model() reads. */
#define SELECT_MODELS \
	"SELECT m.name, m.id, m.owner, m.current," \
	" ARRAY(SELECT g.role FROM gensynth.grants g" \
	" WHERE g.model " GS_EQ " m.name)" \
	" FROM gensynth.models m"

/*
 * A row of the result as a model, in the given context.
 */
static GsModelEntry *
read_model(int row, MemoryContext context)
{
	MemoryContext old = MemoryContextSwitchTo(context);
	GsModelEntry *model = palloc0(sizeof(GsModelEntry));

	model->name = gs_result_text(row, 1, context);
	model->id = *DatumGetUUIDP(gs_result(row, 2, NULL));
	model->owner_name = gs_result_text(row, 3, context);
	model->owner = get_role_oid(model->owner_name, true);
	model->current = DatumGetInt32(gs_result(row, 4, NULL));
	model->grants = gs_text_list(gs_result(row, 5, NULL));
	MemoryContextSwitchTo(old);
	return model;
}

/*
 * The models that a query finds, with a text as its $1.
 */
static List *
read_models(const char *sql, const char *argument)
{
	MemoryContext context = CurrentMemoryContext;
	List	   *models = NIL;
	GsAccess	access;

	gs_enter(&access);
	gs_run_text(sql, argument, true);
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		GsModelEntry *model = read_model(i, context);
		MemoryContext old = MemoryContextSwitchTo(context);

		models = lappend(models, model);
		MemoryContextSwitchTo(old);
	}
	gs_leave(&access);
	return models;
}

/*
 * gs_catalog_find: a model by its name; NULL if there is none.
 */
GsModelEntry *
gs_catalog_find(const char *name)
{
	List	   *models = read_models(SELECT_MODELS " WHERE m.name " GS_EQ " $1",
									 name);

	return models == NIL ? NULL : linitial(models);
}

/*
 * Whether the caller has the rights of a role that may be gone; as_member:
 * other than by being a superuser.
 */
static bool
has_role(Oid role, bool as_member)
{
	Oid			user = GetUserId();

	if (!OidIsValid(role))
		return false;
	return as_member && superuser_arg(user) ?
		is_member_of_role_nosuper(user, role) : has_privs_of_role(user, role);
}

/*
 * Whether the caller may do what a model's owner may.  A role that is gone
 * has left its models to nobody, so superusers only.
 */
static bool
is_owner(const GsModelEntry *model)
{
	return has_role(model->owner, false) || superuser_arg(GetUserId());
}

/*
 * Whether the caller may sample a model; as_member: other than by being a
 * superuser.
 */
static bool
may_sample(const GsModelEntry *model, bool as_member)
{
	ListCell   *cell;

	if (as_member ? has_role(model->owner, true) : is_owner(model))
		return true;
	foreach(cell, model->grants)
		if (has_role(get_role_oid(lfirst(cell), true), as_member))
			return true;
	return false;
}

static void
check_owner(const GsModelEntry *model)
{
	if (!is_owner(model))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("must be owner of model \"%s\"", model->name),
				 OidIsValid(model->owner) ?
				 errhint("Its owner is %s.", model->owner_name) :
				 errhint("Its owner is gone: a superuser can give it away with synth_own.")));
}

static void
check_refit(const char *model, const char *owner_name, Oid user)
{
	Oid			owner = get_role_oid(owner_name, true);

	if (user != owner)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("must be owner of model \"%s\" to fit it again", model),
				 OidIsValid(owner) ?
				 errhint("SET ROLE %s first, or choose another name with the model argument of synth_fit.",
						 quote_identifier(owner_name)) :
				 errhint("Its owner is gone: a superuser can give it away with synth_own. Or choose another name with the model argument of synth_fit.")));
}

/*
 * gs_check_refit: an error unless the caller is the very owner of a model.
 *
 * Neither a superuser nor a member of the owner will do: what they can read
 * would land in a model that others sample, by a name alone.
 */
void
gs_check_refit(const GsModelEntry *model)
{
	check_refit(model->name, model->owner_name, GetUserId());
}

/*
 * gs_check_protection: an error for a version that is not private, of a model
 * that has private ones: whom it was granted to was meant to see no others.
 */
void
gs_check_protection(const char *model, bool private)
{
	GsAccess	access;

	if (private)
		return;
	gs_enter(&access);
	if (gs_run_text("SELECT FROM gensynth.versions WHERE model " GS_EQ " $1"
					" AND epsilon IS NOT NULL LIMIT 1", model, false) > 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("model \"%s\" is differentially private", model),
				 errhint("Pass epsilon, or choose another name with the model argument of synth_fit.")));
	gs_leave(&access);
}

/*
 * The models whose names are most like one that does not exist, among those
 * that the caller may sample.
 */
static char *
similar_names(const char *name)
{
	GsAlike		alike;
	ListCell   *cell;

	gs_alike_begin(&alike, name);
	foreach(cell, read_models(SELECT_MODELS " WHERE $1 " GS_NE " ''"
							  " ORDER BY m.name", name))
	{
		const GsModelEntry *model = lfirst(cell);

		if (may_sample(model, false))
			gs_alike_add(&alike, model->name);
	}
	return alike.list.data;
}

/*
 * An error for a model that does not exist.
 */
GS_NORETURN static void
report_unknown(const char *name)
{
	char	   *near = similar_names(name);

	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_OBJECT),
			 errmsg("model \"%s\" does not exist", name),
			 near[0] != '\0' ? errhint("Perhaps you meant %s.", near) :
			 errhint("SELECT * FROM synth_models lists the models; synth_fit makes one.")));
}

/*
 * Whether a model's name is also one of a relation: schema and name, whether
 * or not there is such a relation, or the name of one that the search_path
 * leads to.  Other sessions have temporary tables of the same name, so these
 * do not count.
 */
static bool
names_relation(const char *name, char **schema, char **relation)
{
	List	   *parts;
	Oid			relid;

	if (!SplitIdentifierString(pstrdup(name), '.', &parts) ||
		parts == NIL || list_length(parts) > 2)
		return false;
	*schema = linitial(parts);
	*relation = llast(parts);
	if (list_length(parts) == 2)
		return strncmp(*schema, "pg_temp", 7) != 0;
	relid = RelnameGetRelid(*relation);
	if (!OidIsValid(relid) || isAnyTempNamespace(get_rel_namespace(relid)))
		return false;
	*schema = get_namespace_name(get_rel_namespace(relid));
	return *schema != NULL;
}

/*
 * gs_catalog_own: the models that an owner's function is called on, of
 * GsModelEntry: one by its name or that of the relation that it is named
 * after, or all of a dataset; that is set then.  Errors: undefined_object, or
 * insufficient_privilege unless the caller owns them.
 */
List *
gs_catalog_own(const char *name, bool *dataset)
{
	GsModelEntry *model = gs_catalog_find(name);
	List	   *models = NIL;
	List	   *names;
	char	   *schema;
	char	   *relation;
	ListCell   *cell;

	*dataset = false;
	if (model == NULL && names_relation(name, &schema, &relation))
		model = gs_catalog_find(gs_default_name(schema, relation));
	if (model != NULL)
	{
		check_owner(model);
		return list_make1(model);
	}
	names = gs_dataset_models(name);
	if (names == NIL)
		report_unknown(name);
	*dataset = true;
	foreach(cell, names)
	{
		model = gs_catalog_find(lfirst(cell));
		if (model == NULL)
			continue;
		check_owner(model);
		models = lappend(models, model);
	}
	return models;
}

static void
check_sample(const GsModelEntry *model)
{
	const char *role = quote_identifier(GetUserNameFromId(GetUserId(), false));

	if (!may_sample(model, false))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied for model \"%s\"", model->name),
				 OidIsValid(model->owner) ?
				 errhint("Its owner can allow it: SELECT synth_grant(%s, %s).",
						 quote_literal_cstr(model->name),
						 quote_literal_cstr(role)) :
				 errhint("Its owner is gone: a superuser can give it away with synth_own.")));
}

/*
 * The model whose current version was learned from a relation, given
 * qualified and quoted, and that the caller owns or was granted; NULL if
 * there is none.  An error if there are several.
 *
 * Whoever may read a table can make a model of it, and a superuser may sample
 * that one too, but means it only by its name: *other is such a model, else
 * one that the caller may not sample at all, NULL if there is none.
 */
static GsModelEntry *
model_of(const char *relation, GsModelEntry **other)
{
	GsModelEntry *found = NULL;
	ListCell   *cell;

	*other = NULL;
	foreach(cell, read_models(SELECT_MODELS " JOIN gensynth.versions v"
							  " ON v.model " GS_EQ " m.name"
							  " AND v.version " GS_EQ " m.current"
							  " WHERE v.relation " GS_EQ " $1 ORDER BY m.name",
							  relation))
	{
		GsModelEntry *model = lfirst(cell);

		if (!may_sample(model, true))
			*other = *other == NULL || may_sample(model, false) ? model : *other;
		else if (found == NULL)
			found = model;
		else
			ereport(ERROR,
					(errcode(ERRCODE_AMBIGUOUS_PARAMETER),
					 errmsg("models \"%s\" and \"%s\" were both learned from %s",
							found->name, model->name, relation),
					 errhint("Say which: model => %s.",
							 quote_literal_cstr(found->name))));
	}
	return found;
}

/*
 * gs_catalog_open_relation: the model of a relation, given qualified and
 * quoted, that the caller wants to sample.  Errors: undefined_object, or
 * ambiguous_parameter if the caller owns or was granted several.
 */
GsModelEntry *
gs_catalog_open_relation(const char *relation)
{
	GsModelEntry *other;
	GsModelEntry *model = model_of(relation, &other);

	if (model == NULL && other != NULL)
		check_sample(other);
	if (model == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("no model was learned from %s", relation),
				 other != NULL ?
				 errhint("Those of other roles have to be named: model => %s.",
						 quote_literal_cstr(other->name)) :
				 errhint("Learn one with synth_fit(%s), or name a model.",
						 quote_literal_cstr(relation))));
	return model;
}

/*
 * A model by the name of a relation: the model that is named after it, or
 * another one that was learned from it; name: what the caller wrote.
 */
static GsModelEntry *
open_named_relation(const char *name, const char *schema, const char *relation)
{
	GsModelEntry *named = gs_catalog_find(gs_default_name(schema, relation));
	GsModelEntry *other;
	GsModelEntry *model;

	if (named != NULL && may_sample(named, true))
		return named;
	model = model_of(quote_qualified_identifier(schema, relation), &other);
	if (model != NULL)
		return model;
	if (named != NULL)
		other = named;
	if (other != NULL)
		check_sample(other);
	if (other == NULL)
		report_unknown(name);
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_OBJECT),
			 errmsg("model \"%s\" does not exist", name),
			 errhint("Those of other roles have to be named exactly, such as %s.",
					 quote_literal_cstr(other->name))));
}

/*
 * gs_catalog_open: a model that the caller wants to sample, by its name or
 * that of its source relation.  Errors: undefined_object, ambiguous_parameter,
 * or insufficient_privilege unless the caller owns it or was granted it.
 */
GsModelEntry *
gs_catalog_open(const char *name)
{
	GsModelEntry *model = gs_catalog_find(name);
	char	   *schema;
	char	   *relation;

	if (model != NULL)
		check_sample(model);
	else if (names_relation(name, &schema, &relation))
		model = open_named_relation(name, schema, relation);
	else
		report_unknown(name);
	return model;
}

/*
 * gs_catalog_lock: locks the row of a model that was found, and returns the
 * number of its current version; an error if it was dropped or given away
 * since then.  To be called after gs_enter().
 *
 * exclusive: no fit and no other call comes in between; otherwise the model
 * is just kept from being dropped.
 */
int
gs_catalog_lock(const GsModelEntry *model, bool exclusive)
{
	Oid			types[] = {UUIDOID, TEXTOID};
	Datum		values[] = {UUIDPGetDatum(&model->id),
	CStringGetTextDatum(model->owner_name)};

	if (gs_run(exclusive ?
			   "SELECT current FROM gensynth.models WHERE id " GS_EQ " $1"
			   " AND owner " GS_EQ " $2 FOR UPDATE" :
			   "SELECT current FROM gensynth.models WHERE id " GS_EQ " $1"
			   " AND owner " GS_EQ " $2 FOR KEY SHARE",
			   2, types, values, NULL, false) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("model \"%s\" was dropped or given away a moment ago",
						model->name),
				 errhint("SELECT * FROM synth_models lists the models.")));
	return DatumGetInt32(gs_result(0, 1, NULL));
}

/*
 * gs_catalog_next_version: takes the lock on a model's row, making it if need
 * be, and returns the number of the version to be, which is the current one
 * from now on.  owner: the role that fits.  To be called after gs_enter().
 */
int
gs_catalog_next_version(const char *name, const char *owner)
{
	Oid			types[] = {TEXTOID, TEXTOID};
	Datum		values[] = {CStringGetTextDatum(name),
	CStringGetTextDatum(owner)};

	gs_run("INSERT INTO gensynth.models (name, owner, current, last_version)"
		   " VALUES ($1, $2, 0, 0) ON CONFLICT DO NOTHING", 2, types, values,
		   NULL, false);
	if (SPI_processed == 0)
	{
		/* it may have been made or given away since the fit began */
		gs_run_text("SELECT owner FROM gensynth.models WHERE name " GS_EQ " $1"
					" FOR UPDATE", name, false);
		if (SPI_processed == 0)
			ereport(ERROR,
					(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
					 errmsg("model \"%s\" was dropped while it was fitted",
							name),
					 errhint("Fit it again.")));
		check_refit(name, gs_result_text(0, 1, CurrentMemoryContext),
					get_role_oid(owner, false));
	}
	gs_run_text("UPDATE gensynth.models SET last_version = last_version "
				GS_PLUS " 1, current = last_version " GS_PLUS " 1"
				" WHERE name " GS_EQ " $1 RETURNING current", name, false);
	return DatumGetInt32(gs_result(0, 1, NULL));
}
