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
#include "utils/guc.h"

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

/*
 * gs_fix_settings: sets all that the text of an expression, and what is read
 * out of one, depends on; names are those of pg_catalog.  Returns the level
 * that AtEOXact_GUC(true, level) ends.  Not for use within
 * gs_with_fixed_styles, whose styles it would end, too.
 */
int
gs_fix_settings(void)
{
	static const char *const settings[][2] = {
		{"search_path", "pg_catalog, pg_temp"},
		{"standard_conforming_strings", "on"},
		{"backslash_quote", "off"},
		{"transform_null_equals", "off"},
		{"quote_all_identifiers", "off"},
		{"array_nulls", "on"},
		{"DateStyle", "ISO, YMD"},
		{"IntervalStyle", "postgres"},
		{"TimeZone", "GMT"},
		{"extra_float_digits", "1"},
		{"bytea_output", "hex"},
		{"lc_monetary", "C"},
		{"xmloption", "content"}
	};
	int			level = NewGUCNestLevel();

	for (int i = 0; i < lengthof(settings); i++)
		(void) set_config_option(settings[i][0], settings[i][1], PGC_USERSET,
								 PGC_S_SESSION, GUC_ACTION_SAVE, true, 0,
								 false);
	return level;
}
