/*
 * styles.c
 *	  Output functions that do not follow the session's settings.
 *
 * Some values are learned by their text, which must not depend on how the
 * session that learns likes to see dates, nor be read otherwise by another
 * session that samples.  The source's own expressions do follow the session's
 * settings, so these change only while a value is taken apart: once a row,
 * which is too often for SET.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "pgtime.h"
#include "utils/bytea.h"
#include "utils/float.h"

#include "column/styles.h"

/*
 * gs_with_fixed_styles: calls work(arg) while output functions write what
 * every session reads alike, as pg_dump has it.
 */
void
gs_with_fixed_styles(void (*work) (void *arg), void *arg)
{
	int			date_style = DateStyle;
	int			date_order = DateOrder;
	int			interval_style = IntervalStyle;
	int			float_digits = extra_float_digits;
	int			bytea_style = bytea_output;
	pg_tz	   *zone = session_timezone;

	PG_TRY();
	{
		DateStyle = USE_ISO_DATES;
		DateOrder = DATEORDER_YMD;
		IntervalStyle = INTSTYLE_POSTGRES;
		extra_float_digits = 1;
		bytea_output = BYTEA_OUTPUT_HEX;
		session_timezone = pg_tzset("GMT");
		work(arg);
	}
	PG_FINALLY();
	{
		DateStyle = date_style;
		DateOrder = date_order;
		IntervalStyle = interval_style;
		extra_float_digits = float_digits;
		bytea_output = bytea_style;
		session_timezone = zone;
	}
	PG_END_TRY();
}
