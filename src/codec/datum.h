/*
 * datum.h
 *	  Values that come from outside: of an expression, or of a query.
 */
#ifndef GENSYNTH_DATUM_H
#define GENSYNTH_DATUM_H

#include "postgres.h"

#include "access/detoast.h"
#include "utils/datum.h"

#include "compat.h"

/*
 * A copy, in the current context, that can be kept and stored: it points to
 * nothing, neither to an expanded object nor to the TOAST table of another
 * table, whose rows may go.
 */
static inline Datum
gs_datum_copy(Datum value, bool byval, int len)
{
	if (len == -1 && VARATT_IS_EXTERNAL(DatumGetPointer(value)))
		return PointerGetDatum(detoast_external_attr((struct varlena *)
													 DatumGetPointer(value)));
	return datumCopy(value, byval, len);
}

#endif
