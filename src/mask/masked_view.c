/*
 * masked_view.c
 *	  synth_mask_view: an ordinary view of a relation's masked rows, for tools
 *	  that know nothing but tables.
 */
#include "postgres.h"

#include "catalog/namespace.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/varlena.h"

#include "compat.h"
#include "mask/grant.h"
#include "table/source.h"

/*
 * synth_mask_view(relation regclass, view text): makes a view of a relation of
 * one's own, owned by the caller, as its labels mask it, and returns it.
 *
 * Who reads it needs SELECT on the view and synth_mask_grant on the relation.
 * Errors: 42501, 42P07, and those of CREATE VIEW.
 */
GS_FUNCTION(synth_mask_view);

Datum
synth_mask_view(PG_FUNCTION_ARGS)
{
	Oid			relid;
	RangeVar   *view;
	Oid			schema;
	char	   *name;
	char	   *functions;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("%s must not be null",
						PG_ARGISNULL(0) ? "relation" : "view"),
				 errhint("Pass a table and the name of the view to be: synth_mask_view('patients', 'dev.patients').")));
	relid = PG_GETARG_OID(0);
	name = gs_relation_name(relid, NULL);
	gs_mask_check_readers(relid);
	if (!gs_class_ownercheck(relid, GetUserId()))
		aclcheck_error(ACLCHECK_NOT_OWNER,
					   get_relkind_objtype(get_rel_relkind(relid)),
					   get_rel_name(relid));
	functions = get_namespace_name(get_func_namespace(fcinfo->flinfo->fn_oid));
	view = makeRangeVarFromNameList(textToQualifiedNameList(PG_GETARG_TEXT_PP(1)));
	schema = RangeVarGetCreationNamespace(view);
	if (OidIsValid(get_relname_relid(view->relname, schema)))
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_TABLE),
				 errmsg("relation \"%s\" already exists", view->relname),
				 errhint("Drop it first, or choose another name for the view.")));
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	SPI_execute(psprintf("CREATE VIEW %s AS SELECT * FROM %s.synth_masked(NULL::%s)",
						 quote_qualified_identifier(get_namespace_name(schema),
													view->relname),
						 quote_identifier(functions), name), false, 0);
	SPI_finish();
	PG_RETURN_OID(get_relname_relid(view->relname, schema));
}
