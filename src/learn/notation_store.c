/*
 * notation_store.c
 *	  Columns that hold dates and times as numbers or texts, and columns that
 *	  follow from another one of the same moment: how they are stored.
 *
 * Tensors:
 *	 column/format	int4 [columns]	1 + format; 0: none
 *	 column/leader	int4 [columns]	see GsColumn
 *	 column/shift	int8 [columns]	see GsClock; left out: 0
 *	 column/months	int4 [columns]	the same
 *	 format/zone/C	bytes			name of its time zone; left out: none
 *	 format/suffix/C	bytes		see GsNotation; left out: nothing
 *	 format/other/C	bytes			texts of column C that are no dates, each
 *									with a zero byte at its end
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "pgtime.h"
#include "utils/timestamp.h"

#include "codec/notation.h"
#include "learn/learn_internal.h"
#include "learn/notation_learn.h"

/*
 * A text of a column's format.
 */
static void
save_text(List **tensors, const char *what, int c, const char *text)
{
	char		name[32];

	snprintf(name, sizeof(name), "format/%s/%d", what, c + 1);
	gs_tensor_add(tensors, name, GS_U1, 1, strlen(text), 0, pstrdup(text));
}

/*
 * Reads it; false if there is none.  size: of out
 */
static bool
load_text(const List *tensors, const char *what, const GsColumn *column, int c,
		  char *out, int size)
{
	const GsTensor *tensor;
	char		name[32];

	snprintf(name, sizeof(name), "format/%s/%d", what, c + 1);
	if (gs_tensor_find(tensors, name) == NULL)
		return false;
	tensor = gs_tensor_get(tensors, name, GS_U1, 1);
	if (tensor->dims[0] >= size ||
		memchr(tensor->data, '\0', tensor->dims[0]) != NULL ||
		!pg_verifymbstr(tensor->data, tensor->dims[0], true))
		gs_corrupted("The %s of the dates in column \"%s\" is not valid text.",
					 what, column->name);
	memcpy(out, tensor->data, tensor->dims[0]);
	out[tensor->dims[0]] = '\0';
	return true;
}

/*
 * gs_notations_save: appends the tensors.
 */
void
gs_notations_save(const GsSchema *schema, List **tensors)
{
	int32	   *format = palloc0(sizeof(int32) * Max(schema->ncolumns, 1));
	int32	   *leader = palloc0(sizeof(int32) * Max(schema->ncolumns, 1));
	int64	   *shift = palloc0(sizeof(int64) * Max(schema->ncolumns, 1));
	int32	   *months = palloc0(sizeof(int32) * Max(schema->ncolumns, 1));
	bool		any_shift = false;
	bool		any_months = false;

	for (int c = 0; c < schema->ncolumns; c++)
	{
		const GsColumn *column = &schema->columns[c];
		const GsNotation *notation = column->codec.notation;
		StringInfoData texts;
		char		name[32];

		leader[c] = column->moment;
		if (notation == NULL)
			continue;
		format[c] = notation->format + 1;
		shift[c] = notation->clock.ahead;
		months[c] = notation->clock.months;
		any_months |= months[c] != 0;
		if (notation->clock.zone != NULL)
			save_text(tensors, "zone", c,
					  pg_get_timezone_name(notation->clock.zone));
		any_shift |= shift[c] != 0;
		if (notation->suffix[0] != '\0')
			save_text(tensors, "suffix", c, notation->suffix);
		if (notation->nothers == 0)
			continue;
		initStringInfo(&texts);
		for (int i = 0; i < notation->nothers; i++)
			appendBinaryStringInfo(&texts, notation->other[i],
								   strlen(notation->other[i]) + 1);
		snprintf(name, sizeof(name), "format/other/%d", c + 1);
		gs_tensor_add(tensors, name, GS_U1, 1, texts.len, 0, texts.data);
	}
	gs_tensor_add(tensors, "column/format", GS_I4, 1, schema->ncolumns, 0,
				  format);
	gs_tensor_add(tensors, "column/leader", GS_I4, 1, schema->ncolumns, 0,
				  leader);
	if (any_shift)
		gs_tensor_add(tensors, "column/shift", GS_I8, 1, schema->ncolumns, 0,
					  shift);
	if (any_months)
		gs_tensor_add(tensors, "column/months", GS_I4, 1, schema->ncolumns, 0,
					  months);
}

/*
 * The texts of a column that are no dates.  Returns how many.
 */
static int
load_others(const List *tensors, const GsColumn *column, int c, char **other)
{
	const GsTensor *tensor;
	const char *at;
	char		name[32];
	int			n = 0;

	snprintf(name, sizeof(name), "format/other/%d", c + 1);
	if (gs_tensor_find(tensors, name) == NULL)
		return 0;
	tensor = gs_tensor_get(tensors, name, GS_U1, 1);
	at = tensor->data;
	for (int left = tensor->dims[0]; left > 0; n++)
	{
		int			len = strnlen(at, left);

		if (len == left || n == GS_NOTATION_MAX_OTHERS ||
			!pg_verifymbstr(at, len, true))
			gs_corrupted("What is no date in column \"%s\" is not valid text.",
						 column->name);
		other[n] = pstrdup(at);
		at += len + 1;
		left -= len + 1;
	}
	return n;
}

/*
 * What stands behind a column's dates, and the clock that they are told by.
 */
static void
load_clock(const List *tensors, const GsColumn *column, int c, int64 ahead)
{
	GsNotation *notation = column->codec.notation;
	char		zone[TZ_STRLEN_MAX + 1];

	if (ahead < -GS_NOTATION_MAX_SHIFT || ahead > GS_NOTATION_MAX_SHIFT)
		gs_corrupted("The clock of column \"%s\" is impossible.",
					 column->name);
	notation->clock.ahead = ahead;
	if (load_text(tensors, "suffix", column, c, notation->suffix,
				  sizeof(notation->suffix)) &&
		notation->plain->content != GS_CONTENT_TEXT)
		gs_corrupted("Column \"%s\" has an impossible format.", column->name);
	if (load_text(tensors, "zone", column, c, zone, sizeof(zone)) &&
		(notation->clock.zone = pg_tzset(zone)) == NULL)
		gs_corrupted("The time zone of column \"%s\" is unknown.",
					 column->name);
}

/*
 * gs_notations_load: reads the formats of columns, whose features are yet to
 * be loaded.  Errors: data_corrupted.
 */
void
gs_notations_load(GsSchema *schema, const List *tensors)
{
	const int32 *format = gs_tensor_data(tensors, "column/format", GS_I4,
										 schema->ncolumns);
	const int32 *leader = gs_tensor_data(tensors, "column/leader", GS_I4,
										 schema->ncolumns);
	const int64 *shift = gs_tensor_find(tensors, "column/shift") == NULL ? NULL :
		gs_tensor_data(tensors, "column/shift", GS_I8, schema->ncolumns);
	const int32 *months = gs_tensor_find(tensors, "column/months") == NULL ?
		NULL : gs_tensor_data(tensors, "column/months", GS_I4,
							  schema->ncolumns);

	for (int c = 0; c < schema->ncolumns; c++)
	{
		GsColumn   *column = &schema->columns[c];
		char	   *other[GS_NOTATION_MAX_OTHERS];

		if (format[c] == 0 && leader[c] == 0)
			continue;
		if (format[c] < 1 || format[c] > gs_notation_count() ||
			!gs_notation_fits(format[c] - 1, column->codec.kind) ||
			(leader[c] == 0 &&
			 gs_notation_unit(format[c] - 1) == GS_UNIT_NONE))
			gs_corrupted("Column \"%s\" has an impossible format.",
						 column->name);
		gs_notation_set(&column->codec, format[c] - 1,
						load_others(tensors, column, c, other), other);
		load_clock(tensors, column, c, shift == NULL ? 0 : shift[c]);
		column->codec.notation->clock.months = months == NULL ? 0 :
			Min(Max(months[c], -MONTHS_PER_YEAR), MONTHS_PER_YEAR);
		column->moment = leader[c];
	}
}

/*
 * gs_leaders_nulls: a column is NULL where its leader is, unless it then has
 * what is no date.
 */
void
gs_leaders_nulls(GsSchema *schema)
{
	for (int c = 0; c < schema->ncolumns; c++)
	{
		GsColumn   *column = &schema->columns[c];
		const GsFeature *feature;
		bool		other = false;

		if (column->moment == 0)
			continue;
		feature = &schema->features[column->feature[0]];
		for (int i = 0; i < feature->nlevels; i++)
			other |= gs_scalar_is_special(&column->codec.part[0], GS_LANE_INT,
										  feature->level[i]);
		column->nullable |= !other &&
			schema->columns[column->moment - 1].nullable;
	}
}

/*
 * gs_leaders_load: checks the leaders of columns whose features are loaded.
 * Errors: data_corrupted.
 */
void
gs_leaders_load(GsSchema *schema)
{
	for (int c = 0; c < schema->ncolumns; c++)
	{
		const GsColumn *column = &schema->columns[c];
		const GsColumn *leader;

		if (column->moment == 0)
			continue;
		if (column->moment < 1 || column->moment > schema->ncolumns ||
			column->key != NULL || column->layout != NULL)
			gs_corrupted("Column \"%s\" has an impossible leader.",
						 column->name);
		leader = &schema->columns[column->moment - 1];
		if (leader->moment != 0 || leader->key != NULL ||
			!gs_notation_derives(column->codec.notation->format,
								 &leader->codec) ||
			schema->features[leader->feature[0]].lane != GS_LANE_INT)
			gs_corrupted("Column \"%s\" has an impossible leader.",
						 column->name);
	}
	gs_leaders_nulls(schema);
}
