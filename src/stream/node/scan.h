/*
 * scan.h
 *	  The custom scan that takes the place of a scan of a sampling function.
 */
#ifndef GENSYNTH_SCAN_H
#define GENSYNTH_SCAN_H

#include "postgres.h"

#include "executor/executor.h"
#include "nodes/extensible.h"
#include "nodes/pathnodes.h"

#include "stream/call.h"

/* custom_private: what the scan knows of the function's result. */
typedef enum GsScanPrivate
{
	GS_PRIVATE_FORM,			/* Integer: GsForm */
	GS_PRIVATE_NAMES,			/* RECORD: String list */
	GS_PRIVATE_TYPES,			/* RECORD: OID list */
	GS_PRIVATE_TYPMODS,			/* RECORD: int list */
	GS_PRIVATE_COLLATIONS		/* RECORD: OID list */
} GsScanPrivate;

extern CustomScanMethods gs_scan_methods;

/* What other scans of functions do in the same way. */
extern void gs_scan_params(Node *node, Bitmapset **params);
extern bool gs_scan_columns(const CustomScan *scan, TupleDesc row_desc);
extern void gs_scan_fill(const CustomScan *scan, TupleDesc row_desc,
						 TupleTableSlot *slot, Datum *values, bool *nulls);
extern bool gs_scan_recheck(ScanState *ss, TupleTableSlot *slot,
							TupleDesc row_desc, TupleTableSlot *locked,
							ExecScanAccessMtd next);

/* plan.c */
extern bool gs_enable_custom_scan;

extern char *gs_function_symbol(Oid function);
extern List *gs_scan_tlist(PlannerInfo *root, RelOptInfo *rel, List *clauses);
extern void gs_plan_init(void);

/* masked_plan.c, masked_scan.c: of synth_masked */
extern CustomScanMethods gs_masked_scan_methods;

extern double gs_masked_rows(const FuncExpr *call);
extern bool gs_masked_add_path(PlannerInfo *root, RelOptInfo *rel,
							   RangeTblEntry *rte);

#endif
