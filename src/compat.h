/*
 * compat.h
 *	  What differs between PostgreSQL 15 and later majors, in one place.
 */
#ifndef GENSYNTH_COMPAT_H
#define GENSYNTH_COMPAT_H

#if PG_VERSION_NUM < 150000
#error "gensynth needs PostgreSQL 15 or later"
#endif

/* 19 includes less by itself */
#if PG_VERSION_NUM >= 190000
#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "storage/lock.h"
#include "utils/tuplestore.h"
#endif

/* 16 moved the varlena macros out of postgres.h */
#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

/* 16 declares functions of PG_FUNCTION_INFO_V1 as exported by itself */
#if PG_VERSION_NUM >= 160000
#define GS_FUNCTION(name) PG_FUNCTION_INFO_V1(name)
#else
#define GS_FUNCTION(name) \
	PGDLLEXPORT Datum name(PG_FUNCTION_ARGS); \
	PG_FUNCTION_INFO_V1(name)
#endif

/* 16 replaced the per-class ACL functions */
#if PG_VERSION_NUM >= 160000
#define gs_proc_aclcheck(function, role, mode) \
	object_aclcheck(ProcedureRelationId, function, role, mode)
#define gs_namespace_aclcheck(schema, role, mode) \
	object_aclcheck(NamespaceRelationId, schema, role, mode)
#define gs_class_ownercheck(relid, role) \
	object_ownercheck(RelationRelationId, relid, role)
#else
#define gs_class_ownercheck pg_class_ownercheck
#define gs_proc_aclcheck pg_proc_aclcheck
#define gs_namespace_aclcheck pg_namespace_aclcheck
#endif

/* 18 replaced the module magic */
#if PG_VERSION_NUM >= 180000
#define GS_MODULE_MAGIC(version_text) \
	PG_MODULE_MAGIC_EXT(.name = "gensynth", .version = version_text)
#else
#define GS_MODULE_MAGIC(version_text) PG_MODULE_MAGIC
#endif

/* 18 has generated columns that are not stored */
#if PG_VERSION_NUM >= 180000
#define gs_expand_generated(expression, relation) \
	expand_generated_columns_in_expr(expression, relation, 1)
#else
#define gs_expand_generated(expression, relation) (expression)
#endif

/* 16 lets callers take errors: of ranges, of types' names, of JSON's actions */
#if PG_VERSION_NUM >= 160000
#include "nodes/miscnodes.h"
#define gs_range_serialize(typcache, lower, upper, empty) \
	range_serialize(typcache, lower, upper, empty, NULL)
#define gs_make_range(typcache, lower, upper, empty) \
	make_range(typcache, lower, upper, empty, NULL)
#define gs_type_name(name)	typeStringToTypeName(name, NULL)
#define gs_name_list(name)	stringToQualifiedNameList(name, NULL)
#define GS_JSON_ACTION		JsonParseErrorType
#define GS_JSON_ACTION_DONE	JSON_SUCCESS
#else
#define gs_range_serialize range_serialize
#define gs_make_range make_range
#define gs_type_name(name)	typeStringToTypeName(name)
#define gs_name_list(name)	stringToQualifiedNameList(name)
#define GS_JSON_ACTION		void
#define GS_JSON_ACTION_DONE
#endif

/* 17 can ask for stronger locks, too */
#if PG_VERSION_NUM >= 170000
#define gs_lock_held(tag, mode)	LockHeldByMe(tag, mode, false)
#else
#define gs_lock_held(tag, mode)	LockHeldByMe(tag, mode)
#endif

/* 17 lets the caller have the lexer of JSON in memory of its own */
#if PG_VERSION_NUM >= 170000
#define gs_json_lexer(text, len) \
	makeJsonLexContextCstringLen(NULL, text, len, GetDatabaseEncoding(), true)
#else
#define gs_json_lexer(text, len) \
	makeJsonLexContextCstringLen(text, len, GetDatabaseEncoding(), true)
#endif

/* 16 keeps the role that reads a relation apart from its range table entry */
#if PG_VERSION_NUM >= 160000
#define gs_reading_role(query, entry) \
	((entry)->perminfoindex == 0 ? InvalidOid : \
	 getRTEPermissionInfo((query)->rteperminfos, entry)->checkAsUser)
#else
#define gs_reading_role(query, entry) ((entry)->checkAsUser)
#endif

/* ... and what is asked of a query's relations */
#if PG_VERSION_NUM >= 160000
#define gs_take_permissions(query, pstate) \
	((query)->rteperminfos = (pstate)->p_rteperminfos)
#else
#define gs_take_permissions(query, pstate) ((void) 0)
#endif

/*
 * 16 asks a custom scan what slot it wants; before, the executor has given it
 * a virtual one, which has to be exchanged.
 */
#if PG_VERSION_NUM >= 160000
#define gs_want_scalar(css, ops) ((css)->slotOps = (ops))
#define gs_exchange_slot(estate, css, ops) ((void) 0)
#else
#define gs_want_scalar(css, ops) ((void) 0)
#define gs_exchange_slot(estate, css, ops) \
	do { \
		ExecInitScanTupleSlot(estate, &(css)->ss, (css)->ss.ps.scandesc, \
							  ops); \
		ExecAssignScanProjectionInfoWithVarno(&(css)->ss, INDEX_VAR); \
	} while (0)
#endif

/* 18 moved parts of EXPLAIN */
#if PG_VERSION_NUM >= 180000
#include "commands/explain_format.h"
#include "commands/explain_state.h"
#endif

/* 18 runs a plan once only */
#if PG_VERSION_NUM >= 180000
#define gs_executor_run(query) ExecutorRun(query, ForwardScanDirection, 0)
#else
#define gs_executor_run(query) \
	ExecutorRun(query, ForwardScanDirection, 0, true)
#endif

/*
 * The majors on which former.c was tested; others get their tuples from
 * heap_form_tuple, which is slower.  test/former.sh builds with 0.
 */
#ifndef GS_OWN_TUPLES
#define GS_OWN_TUPLES \
	(PG_VERSION_NUM < 170000 || PG_VERSION_NUM / 10000 == 18)
#endif

/* 18 has room before a minimal tuple, if the caller asks for it */
#if PG_VERSION_NUM >= 180000
#define GS_MINIMAL_ARGS(slot)	TupleTableSlot *slot, Size extra
#define GS_MINIMAL_EXTRA		, extra
#else
#define GS_MINIMAL_ARGS(slot)	TupleTableSlot *slot
#define GS_MINIMAL_EXTRA
#endif

/* 18 has int64 from stdint.h */
#if PG_VERSION_NUM >= 180000
#define GS_PADDED_UINT64		"%0*" PRIu64
#define GS_HEX16_UINT64			"%016" PRIx64
#else
#define GS_PADDED_UINT64		"%0*" INT64_MODIFIER "u"
#define GS_HEX16_UINT64			"%016" INT64_MODIFIER "x"
#endif

/*
 * 18 tells of an operator what it means in any kind of index; the numbers of
 * comparisons are those of a btree's strategies.
 */
#if PG_VERSION_NUM >= 180000
#define gs_comparisons(operator) get_op_index_interpretation(operator)
#define gs_comparison(cell) \
	((int) ((OpIndexInterpretation *) lfirst(cell))->cmptype)
#else
#define gs_comparisons(operator) get_op_btree_interpretation(operator)
#define gs_comparison(cell) \
	(((OpBtreeInterpretation *) lfirst(cell))->strategy)
#endif

/* 18 replaced pg_attribute_noreturn() by a prefix; before, it may be one too */
#if PG_VERSION_NUM >= 180000
#define GS_NORETURN pg_noreturn
#else
#define GS_NORETURN pg_attribute_noreturn()
#endif

/* 18 has generated columns that are computed when they are read */
#define GS_GENERATED_VIRTUAL	'v'

/* 19 wants to be told when a descriptor is complete */
#if PG_VERSION_NUM >= 190000
#define gs_desc_finish(desc) TupleDescFinalize(desc)
#else
#define gs_desc_finish(desc) ((void) 0)
#endif

/* 19 can tell whether a domain's constraints are volatile, too */
#if PG_VERSION_NUM >= 190000
#define gs_domain_has_constraints(type) DomainHasConstraints(type, NULL)
#else
#define gs_domain_has_constraints(type) DomainHasConstraints(type)
#endif

/* 19 keeps the result of building JSON in the state */
#include "utils/jsonb.h"
#if PG_VERSION_NUM >= 190000
typedef JsonbInState GsJsonbState;
#define gs_push_jsonb(state, token, value) \
	pushJsonbValue(state, token, value)
#define gs_jsonb_result(state) ((state)->result)
#else
typedef struct GsJsonbState
{
	JsonbParseState *parse;
	JsonbValue *result;
} GsJsonbState;
#define gs_push_jsonb(state, token, value) \
	((state)->result = pushJsonbValue(&(state)->parse, token, value))
#define gs_jsonb_result(state) ((state)->result)
#endif

/* 19 gives scans flags */
#if PG_VERSION_NUM >= 190000
#define gs_beginscan(relation, snapshot) \
	table_beginscan(relation, snapshot, 0, NULL, 0)
#define gs_beginscan_tidrange(relation, snapshot, first, last) \
	table_beginscan_tidrange(relation, snapshot, first, last, 0)
#else
#define gs_beginscan_tidrange(relation, snapshot, first, last) \
	table_beginscan_tidrange(relation, snapshot, first, last)
#define gs_beginscan(relation, snapshot) \
	table_beginscan(relation, snapshot, 0, NULL)
#endif

/* 19 made CLUSTER a part of REPACK */
#if PG_VERSION_NUM >= 190000
#define GS_CLUSTER_H "commands/repack.h"
#define gs_finish_swap(old, new, xid, multi, persistence) \
	finish_heap_swap(old, new, false, false, true, true, true, xid, multi, \
					 persistence)
#else
#define GS_CLUSTER_H "commands/cluster.h"
#define gs_finish_swap(old, new, xid, multi, persistence) \
	finish_heap_swap(old, new, false, false, true, true, xid, multi, \
					 persistence)
#endif

/* 19 has publications of all tables but some; of partitions see there */
#if PG_VERSION_NUM >= 190000
#define gs_relation_publications(relid) GetRelationIncludedPublications(relid)
#define gs_all_publications(relid) \
	list_difference_oid(GetAllTablesPublications(), \
						GetRelationExcludedPublications(relid))
#else
#define gs_relation_publications(relid) GetRelationPublications(relid)
#define gs_all_publications(relid) GetAllTablesPublications()
#endif

/* 19 names the temporary object */
#if PG_VERSION_NUM >= 190000
#define gs_query_is_temporary(query, object) \
	query_uses_temp_object(query, object)
#else
#define gs_query_is_temporary(query, object) isQueryUsingTempRelation(query)
#endif

/* 19 tells handlers of signals who sent them */
#if PG_VERSION_NUM >= 190000
#define GS_SIGNAL		postgres_signal_arg, pg_siginfo
#define GS_SIG_IGN		PG_SIG_IGN
#else
#define GS_SIGNAL		postgres_signal_arg
#define GS_SIG_IGN		SIG_IGN
#endif

/* 19 tells the planner that EXPLAIN asks */
#if PG_VERSION_NUM >= 190000
#define gs_planner(query, text)	planner(query, text, 0, NULL, NULL)
#else
#define gs_planner(query, text)	planner(query, text, 0, NULL)
#endif

/* 16 renamed what reads the status of the n-th backend, from 1 */
#if PG_VERSION_NUM >= 160000
#define gs_local_status(n)	pgstat_get_local_beentry_by_index(n)
#else
#define gs_local_status(n)	pgstat_fetch_stat_local_beentry(n)
#endif

#endif
