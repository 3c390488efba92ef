/*
 * describe.c
 *	  How columns were understood, for synth_columns and the notes of a fit.
 */
#include "postgres.h"

#include "utils/builtins.h"
#include "utils/json.h"
#include "utils/jsonb.h"

#include "codec/notation.h"
#include "fit/fit_internal.h"

static char *
scalar_text(const GsColumn *column, const GsFeature *feature, GsScalar slot)
{
	GsPart		part = {.lane = feature->lane,.scalar = slot,
		.scale = feature->scale,.min_scale = feature->min_scale
	};
	GsCodec		codec = column->codec;

	return OutputFunctionCall(&codec.output, gs_codec_join(&codec, &part));
}

/*
 * What a column is a sum with, and what it is counted in.
 */
static void
append_layout(StringInfo json, const GsSchema *schema, const GsLayout *layout)
{
	GsCalendar		unit = layout->sum[layout->sum[1].nparts > 0].unit;

	for (int b = 0; b < layout->nbases; b++)
	{
		appendStringInfoString(json, b > 0 ? ", " : layout->nbases > 1 ?
							   ", \"from\": [" : ", \"from\": ");
		escape_json(json, schema->columns[layout->base[b]].name);
	}
	if (layout->nbases > 1)
		appendStringInfoChar(json, ']');
	if (unit != GS_CALENDAR_NONE)
		appendStringInfo(json, ", \"calendar\": \"%s\"", gs_calendar_name(unit));
}

/*
 * gs_column_detail: how a column was understood, as jsonb for synth_columns.  It tells no more
 * than the rows that may be sampled.
 */
Datum
gs_column_detail(const GsSchema *schema, const GsColumn *column)
{
	const GsFeature *feature = column->key != NULL ? NULL :
		&schema->features[column->feature[0]];
	const GsQuantile *q = feature != NULL ? &feature->quantile : NULL;
	bool		first_null = feature != NULL && feature->null_level >= 0;
	double		nulls = column->null_feature >= 0 ?
		schema->features[column->null_feature].share[1] :
		first_null ? feature->share[feature->null_level] : 0;
	StringInfoData json;

	initStringInfo(&json);
	if (column->key != NULL)
		appendStringInfo(&json, "{\"model\": \"key\", \"keys\": \"%s\", \"space\": " UINT64_FORMAT,
						 gs_key_name(column->key->kind),
						 column->key->kind == GS_KEY_COPY ?
						 (uint64) column->key->width : column->key->space);
	else if (feature->kind == GS_FEATURE_NUMBER)
	{
		appendStringInfo(&json, "{\"model\": \"number\", \"segments\": %d",
						 q->nsegments);
		if (column->codec.nparts == 1 && column->layout == NULL &&
			column->anchor == 0)
		{
			appendStringInfoString(&json, ", \"least\": ");
			escape_json(&json, scalar_text(column, feature, q->low[0]));
			appendStringInfoString(&json, ", \"most\": ");
			escape_json(&json, scalar_text(column, feature,
										   q->high[q->nsegments - 1]));
		}
	}
	else
	{
		appendStringInfo(&json, "{\"model\": \"category\", \"levels\": %d",
						 feature->nlevels - first_null -
						 (feature->other_level >= 0));
		if (feature->other_level >= 0)
			appendStringInfo(&json, ", \"generated\": %.6f",
							 feature->share[feature->other_level]);
		if (column->document)
			appendStringInfo(&json, ", \"paths\": %d", column->nmembers);
		else if (column->nmembers > 0)
			appendStringInfo(&json, ", \"slots\": %d", column->nmembers);
	}
	if (column->kind != NULL)
		appendStringInfo(&json, ", \"kind\": \"%s\"", column->kind->name);
	if (column->layout != NULL)
		append_layout(&json, schema, column->layout);
	if (column->anchor > 0)
	{
		appendStringInfoString(&json, ", \"near\": ");
		escape_json(&json, schema->columns[column->anchor - 1].name);
	}
	if (column->equal > 0)
	{
		appendStringInfo(&json, ", \"equal\": %.6f, \"to\": ",
						 schema->features[column->equal_feature].share[1]);
		escape_json(&json, schema->columns[column->equal - 1].name);
	}
	if (column->moment > 0)
	{
		appendStringInfoString(&json, ", \"from\": ");
		escape_json(&json, schema->columns[column->moment - 1].name);
	}
	if (column->codec.notation != NULL)
	{
		appendStringInfoString(&json, ", \"format\": ");
		escape_json(&json,
					gs_notation_name(column->codec.notation->format));
	}
	if (column->codec.nparts > 1)
		appendStringInfo(&json, ", \"parts\": %d", column->codec.nparts);
	appendStringInfo(&json, ", \"nulls\": %.6f}", nulls);
	return DirectFunctionCall1(jsonb_in, CStringGetDatum(json.data));
}

/*
 * gs_note_columns: notes about columns from which nothing varies, and unique ones that may not
 * be.
 */
void
gs_note_columns(const GsSchema *schema, List **notes)
{
	for (int c = 0; c < schema->ncolumns; c++)
	{
		const GsColumn *column = &schema->columns[c];
		const GsFeature *feature = column->key != NULL ? NULL :
			&schema->features[column->feature[0]];
		bool		only_null = (feature != NULL && feature->null_level >= 0 &&
								 feature->nlevels == 1) ||
			(column->null_feature >= 0 &&
			 schema->features[column->null_feature].share[1] >= 1);

		if (column->unique && column->key == NULL &&
			(!only_null || column->one_null))
			*notes = lappend(*notes,
							 psprintf("column \"%s\" of type %s is unique in the source, and its synthetic values may not be",
									  column->name, column->base_name));
		if (column->format != NULL && gs_format_is_full(column->format))
			*notes = lappend(*notes,
							 psprintf("column \"%s\": nearly all texts of its formats are rare values of the source, so its words are combined in other ways",
									  column->name));
		if (only_null)
			*notes = lappend(*notes,
							 psprintf("column \"%s\" is always null: it holds too few values to be shown",
									  column->name));
	}
}
