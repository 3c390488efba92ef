/*
 * gensynth.c
 *	  The entry.  gensynth needs no preload: everything here happens when the
 *	  first function is called.
 */
#include "postgres.h"

#include "fmgr.h"

#include "compat.h"
#include "mask/label.h"
#include "mask/masked.h"
#include "numeric/blas.h"
#include "stream/node/scan.h"
#include "worker/worker.h"

GS_MODULE_MAGIC(GENSYNTH_VERSION);

PGDLLEXPORT void _PG_init(void);

void
_PG_init(void)
{
	gs_blas_init();
	gs_worker_init();
	gs_plan_init();
	gs_label_init();
	gs_masked_init();
}
