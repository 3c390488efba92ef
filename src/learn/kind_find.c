/*
 * kind_find.c
 *	  Columns of personal values, while a fit looks at its sample: those that
 *	  option "kinds" names, and those that synth_find_pii would be sure of.
 *
 * A column keeps its format where kinds know no better than that: documents'
 * numbers, licence plates, addresses of machines.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"

#include "learn/kind_find.h"
#include "mask/pii.h"

#define MOST_TEXTS	1000		/* of a column that are looked at */

/* Whether texts of a kind are made by it, unless an option says so. */
static bool
is_made(GsKindId kind)
{
	switch (kind)
	{
		case GS_KIND_PASSPORT:
		case GS_KIND_DRIVER_LICENCE:
		case GS_KIND_LICENCE_PLATE:
		case GS_KIND_ACCOUNT_NUMBER:
		case GS_KIND_IP:
		case GS_KIND_IPV6:
		case GS_KIND_MAC:
		case GS_KIND_URL:
		case GS_KIND_UUID:
		case GS_KIND_FREE_TEXT:
		case GS_KIND_COORDINATES:
		case GS_KIND_LATITUDE:
		case GS_KIND_LONGITUDE:
		case GS_KIND_SEX:
		case GS_KIND_BIRTH_DATE:
			return false;
		default:
			return true;
	}
}

/* Whether others fit what a column of a kind says, however sure it is. */
static bool
bears_on_others(GsKindId kind)
{
	return kind == GS_KIND_SEX || kind == GS_KIND_COUNTRY ||
		kind == GS_KIND_COUNTRY_CODE || kind == GS_KIND_BIRTH_DATE;
}

static void
tally_column(const GsColumn *column, GsLane *lane, const GsPiiWords *words,
			 GsPiiTally *tally)
{
	const GsCodec *codec = &column->codec;
	HASH_SEQ_STATUS scan;
	GsText	   *text;
	uint64		every;

	for (int i = 0; codec->kind->content == GS_CONTENT_LABEL &&
		 i < codec->nlabels; i++)
		gs_pii_tally(tally, words, codec->label[i], strlen(codec->label[i]));
	if (codec->kind->content != GS_CONTENT_TEXT || lane->texts == NULL)
		return;
	/* which ones must not depend on the order of the table */
	every = hash_get_num_entries(lane->texts) / MOST_TEXTS + 1;
	hash_seq_init(&scan, lane->texts);
	while ((text = hash_seq_search(&scan)) != NULL)
	{
		CHECK_FOR_INTERRUPTS();
		if (text->hash % every == 0)
			gs_pii_tally(tally, words, text->text, text->len);
	}
}

/* The locale that most names and cities are of; -1 if nothing says so. */
static int
find_locale(const GsSample *sample, const GsPiiTally *tallies)
{
	int64		count[GS_LOCALE_COUNT] = {0};
	int			best = -1;

	for (int c = 0; c < sample->ncolumns; c++)
		for (int l = 0; l < GS_LOCALE_COUNT && sample->columns[c].kind; l++)
			count[l] += tallies[c].locale[l];
	for (int l = 0; l < GS_LOCALE_COUNT; l++)
		if (count[l] > 0 && (best < 0 || count[l] > count[best]))
			best = l;
	return best;
}

/*
 * gs_kinds_find: sets the columns' kinds and the locale that they are made in.
 *
 * relation: the source's name, or NULL.  To be called while lanes hold the
 * columns' own values.
 */
void
gs_kinds_find(GsSample *sample, const char *relation)
{
	GsPiiTally *tallies = palloc0(sizeof(GsPiiTally) * sample->ncolumns);
	GsPiiVerdict *verdicts = palloc0(sizeof(GsPiiVerdict) * sample->ncolumns);
	GsPiiWords *words = palloc(gs_pii_words_size());
	bool		person = relation != NULL &&
		gs_pii_is_person(relation, strlen(relation));
	bool		sure = false;
	bool		made = false;
	int			locale;

	gs_pii_words_fill(words);
	for (int c = 0; c < sample->ncolumns; c++)
	{
		const GsColumn *column = &sample->columns[c];
		GsContent	content = column->codec.kind->content;
		GsPiiType	type = {
			.text = content == GS_CONTENT_TEXT || content == GS_CONTENT_LABEL,
			.fits = column->type == DATEOID ? GS_FITS_DATE : 0
		};
		GsPiiName	name;

		if (!type.text && type.fits == 0)
			continue;
		gs_pii_name(column->name, strlen(column->name), &name);
		tally_column(column, &sample->lanes[c * GS_MAX_PARTS], words,
					 &tallies[c]);
		gs_pii_decide(&name, &tallies[c], &type, person, &verdicts[c]);
		sure = sure || verdicts[c].level == GS_PII_SURE;
	}
	for (int c = 0; c < sample->ncolumns; c++)
	{
		GsColumn   *column = &sample->columns[c];
		GsPiiVerdict *verdict = &verdicts[c];

		if (sure)
			gs_pii_raise(verdict);
		/* what a column without values could be is no matter */
		if (column->meant == GS_MEANT_ANY && verdict->kind != NULL &&
			tallies[c].values > 0 && is_made(verdict->kind->id) &&
			verdict->level == GS_PII_SURE)
			column->kind = verdict->kind;
		made = made || column->kind != NULL;
	}
	for (int c = 0; c < sample->ncolumns && made; c++)
		if (sample->columns[c].meant == GS_MEANT_ANY &&
			verdicts[c].kind != NULL && bears_on_others(verdicts[c].kind->id))
			sample->columns[c].kind = verdicts[c].kind;
	locale = find_locale(sample, tallies);
	for (int c = 0; c < sample->ncolumns; c++)
		sample->columns[c].locale = locale;
	pfree(words);
	pfree(verdicts);
	pfree(tallies);
}
