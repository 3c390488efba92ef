/*
 * styles.c
 *	  Settings that must not be the session's.
 *
 * Some values are learned by their text, which must not depend on how the
 * session that learns likes to see dates, nor be read otherwise by another
 * session that samples; and nothing that we run looks names up where others
 * may have put theirs.  Each function here opens a level of settings, which
 * gs_end_settings closes, as does the end of the (sub)transaction if there is
 * an error.  Levels nest.
 *
 * A level costs some microseconds.  The source's own expressions do follow the
 * session's settings, so whoever reads rows collects some before each level.
 */
#include "postgres.h"

#include "utils/guc.h"

#include "codec/styles.h"

typedef struct Setting
{
	const char *name;
	const char *value;
} Setting;

static const Setting names[] = {
	{"search_path", "pg_catalog, pg_temp"}
};

/* As pg_dump has them: every session reads alike what is written so. */
static const Setting styles[] = {
	{"DateStyle", "ISO, YMD"},
	{"IntervalStyle", "postgres"},
	{"TimeZone", "GMT"},
	{"extra_float_digits", "1"},
	{"bytea_output", "hex"}
};

static const Setting syntax[] = {
	{"standard_conforming_strings", "on"},
	{"backslash_quote", "off"},
	{"transform_null_equals", "off"},
	{"quote_all_identifiers", "off"},
	{"array_nulls", "on"},
	{"lc_monetary", "C"},
	{"xmloption", "content"}
};

static void
set_all(const Setting *settings, int n)
{
	for (int i = 0; i < n; i++)
		(void) set_config_option(settings[i].name, settings[i].value,
								 PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE,
								 true, 0, false);
}

/*
 * gs_fix_names: names without a schema are those of pg_catalog.
 *
 * Returns the level for gs_end_settings.
 */
int
gs_fix_names(void)
{
	int			level = NewGUCNestLevel();

	set_all(names, lengthof(names));
	return level;
}

/*
 * gs_fix_styles: output functions write what every session reads alike.
 *
 * Returns the level for gs_end_settings.
 */
int
gs_fix_styles(void)
{
	int			level = NewGUCNestLevel();

	set_all(styles, lengthof(styles));
	return level;
}

/*
 * gs_fix_settings: all that the text of an expression, and what is read out
 * of one, depends on: names, styles and syntax.
 *
 * Returns the level for gs_end_settings.
 */
int
gs_fix_settings(void)
{
	int			level = gs_fix_names();

	set_all(styles, lengthof(styles));
	set_all(syntax, lengthof(syntax));
	return level;
}

/*
 * gs_end_settings: puts back what a level, and those begun within it, set;
 * also what others' functions set meanwhile.
 */
void
gs_end_settings(int level)
{
	AtEOXact_GUC(false, level);
}
