/*
 * scan.h
 *	  The custom scan that takes the place of a scan of a sampling function.
 */
#ifndef GENSYNTH_SCAN_H
#define GENSYNTH_SCAN_H

#include "postgres.h"

#include "nodes/extensible.h"

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

extern void gs_plan_init(void);

#endif
