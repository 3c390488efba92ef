/*
 * decode_person.c
 *	  Texts that are made by their kind, fitting what their row says else:
 *	  names fit the sex, e-mail addresses the names, cities the state.
 *
 * Each row has random bits of its own for its person, which all columns share.
 * What another column has in the row is asked for, be it a level or drawn: it
 * may have been drawn again.
 *
 * A column's kind follows from others only of a lower rank, so none asks in a
 * circle.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "mb/pg_wchar.h"
#include "utils/date.h"
#include "utils/lsyscache.h"

#include "encode/decode_person.h"
#include "mask/generate.h"

#define MOST_OTHERS		8
#define DAYS_TO_1970	(POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE)

/* Another column of the row. */
typedef struct Other
{
	int			column;
	const GsKind *kind;
	GsDecoder  *decoder;
	FmgrInfo	output;
} Other;

struct GsPersonDecoder
{
	const GsSchema *schema;
	const GsColumn *column;
	GsFakeSetup setup;
	GsFakeWant	want;
	int			nothers;
	Other		other[MOST_OTHERS];
};

static int
rank_of(GsKindId kind)
{
	switch (kind)
	{
		case GS_KIND_COUNTRY:
		case GS_KIND_COUNTRY_CODE:
			return 0;
		case GS_KIND_SEX:
		case GS_KIND_BIRTH_DATE:
			return 1;
		case GS_KIND_STATE:
		case GS_KIND_STATE_CODE:
			return 2;
		case GS_KIND_CITY:
			return 3;
		case GS_KIND_FIRST_NAME:
		case GS_KIND_LAST_NAME:
			return 4;
		case GS_KIND_FULL_NAME:
			return 5;
		default:
			return 6;
	}
}

/* Whether what a column of one kind says bears on one of another. */
static bool
bears_on(GsKindId kind, GsKindId other)
{
	bool		named = other == GS_KIND_FULL_NAME || other == GS_KIND_EMAIL ||
		other == GS_KIND_USER_NAME || other == GS_KIND_URL ||
		other == GS_KIND_IT_CODICE_FISCALE;
	bool		numbered = other == GS_KIND_NATIONAL_ID ||
		other == GS_KIND_FR_NIR || other == GS_KIND_PL_PESEL ||
		other == GS_KIND_IT_CODICE_FISCALE;

	if (rank_of(kind) >= rank_of(other))
		return false;
	switch (kind)
	{
		case GS_KIND_COUNTRY:
		case GS_KIND_COUNTRY_CODE:
			return true;
		case GS_KIND_SEX:
			return named || numbered || other == GS_KIND_FIRST_NAME ||
				other == GS_KIND_LAST_NAME;
		case GS_KIND_BIRTH_DATE:
			return numbered;
		case GS_KIND_STATE:
		case GS_KIND_STATE_CODE:
		case GS_KIND_CITY:
			return other == GS_KIND_CITY || other == GS_KIND_POSTCODE;
		case GS_KIND_FIRST_NAME:
		case GS_KIND_LAST_NAME:
		case GS_KIND_FULL_NAME:
			return named;
		default:
			return false;
	}
}

static bool
has_kind(const GsSchema *schema, GsKindId kind)
{
	for (int c = 0; c < schema->ncolumns; c++)
		if (schema->columns[c].kind != NULL &&
			schema->columns[c].kind->id == kind &&
			schema->columns[c].key == NULL)
			return true;
	return false;
}

/*
 * gs_person_create: what makes a column's texts by its kind, in the current
 * context.
 */
GsPersonDecoder *
gs_person_create(const GsSchema *schema, int column)
{
	GsPersonDecoder *person = palloc0(sizeof(GsPersonDecoder));
	const GsColumn *c = &schema->columns[column];

	person->schema = schema;
	person->column = c;
	person->setup.locale = c->locale;
	person->setup.ascii = GetDatabaseEncoding() != PG_UTF8;
	person->want.max_chars = gs_codec_max_chars(&c->codec);
	for (int i = 0; i < schema->ncolumns; i++)
	{
		const GsColumn *from = &schema->columns[i];
		Other	   *other = &person->other[person->nothers];
		Oid			output;
		bool		varlena;

		/* a full name says nothing beside both of its parts */
		if (from->kind != NULL && from->kind->id == GS_KIND_FULL_NAME &&
			has_kind(schema, GS_KIND_FIRST_NAME) &&
			has_kind(schema, GS_KIND_LAST_NAME))
			continue;
		if (from->kind == NULL || !bears_on(from->kind->id, c->kind->id) ||
			from->key != NULL || from->document || from->codec.nparts != 1 ||
			person->nothers >= MOST_OTHERS)
			continue;
		other->column = i;
		other->kind = from->kind;
		other->decoder = gs_decoder_create(schema, i, InvalidOid);
		getTypeOutputInfo(from->codec.type, &output, &varlena);
		fmgr_info_cxt(output, &other->output, CurrentMemoryContext);
		person->nothers++;
	}
	/* the row's country says where its person is */
	for (int i = 0; i < person->nothers; i++)
		if (rank_of(person->other[i].kind->id) == 0)
			person->setup.locale = -1;
	return person;
}

/*
 * gs_person_needs: marks the features that the texts follow from.
 */
void
gs_person_needs(const GsPersonDecoder *person, bool *needed)
{
	for (int i = 0; i < person->nothers; i++)
		gs_decoder_needs(person->other[i].decoder, needed);
}

/* Whether a row says something in a column. */
static bool
is_told(const GsSchema *schema, int column, const GsBatch *batch, int row)
{
	const GsColumn *c = &schema->columns[column];
	int			f = c->feature[0];

	if (c->null_feature >= 0 && batch->code[c->null_feature][row] != 0)
		return false;
	if (schema->features[f].kind == GS_FEATURE_NUMBER)
		return !isnan(batch->score[f][row]);
	return batch->code[f][row] >= 0;
}

static void
begin(GsPersonDecoder *person, const GsBatch *batch, int row, int try,
	  GsFake *fake)
{
	uint64_t	random[2];
	GsRandom	words;

	gs_batch_random(&words, batch, row, GS_STREAM_PERSON);
	words.draw = try;
	for (int i = 0; i < 2; i++)
	{
		random[i] = (uint64_t) gs_random_u32(&words) << 32;
		random[i] |= gs_random_u32(&words);
	}
	gs_fake_begin(fake, &person->setup, random);
	/* a row by itself says nothing else */
	if (batch->code == NULL || batch->score == NULL)
		return;
	for (int i = 0; i < person->nothers; i++)
	{
		Other	   *other = &person->other[i];
		Datum		value;
		bool		isnull;
		char	   *text;

		if (!is_told(person->schema, other->column, batch, row))
			continue;
		gs_decode(other->decoder, batch, row, row + 1,
				  (GsRows) {&value, &isnull, 1});
		if (isnull)
			continue;
		if (other->kind->id == GS_KIND_BIRTH_DATE)
		{
			int			day = DatumGetDateADT(value) + DAYS_TO_1970;

			if (!DATE_NOT_FINITE(DatumGetDateADT(value)))
				gs_fake_keep_birth(fake, day, day);
			continue;
		}
		text = OutputFunctionCall(&other->output, value);
		gs_fake_keep(fake, other->kind->id, text, strlen(text));
	}
}

/* The digits of one text into the places of those of another of as many. */
static bool
pour(const char *digits, const char *form, StringInfo out)
{
	int			n = 0;
	int			places = 0;

	for (const char *at = digits; *at; at++)
		n += *at >= '0' && *at <= '9';
	for (const char *at = form; *at; at++)
	{
		if ((*at >= 'A' && *at <= 'Z') || (*at >= 'a' && *at <= 'z'))
			return false;
		places += *at >= '0' && *at <= '9';
	}
	if (n != places)
		return false;
	for (; *form; form++)
	{
		if (*form < '0' || *form > '9')
		{
			appendStringInfoCharMacro(out, *form);
			continue;
		}
		while (*digits < '0' || *digits > '9')
			digits++;
		appendStringInfoCharMacro(out, *digits++);
	}
	return true;
}

/*
 * A number with the separators of a form; of phones, with or without its
 * country, or of another one whose numbers are as long.
 */
static bool
pour_value(GsPersonDecoder *person, GsFake *fake, const char *form,
		   StringInfo out)
{
	GsKindId	kind = person->column->kind->id;
	int			locale = fake->locale;
	char		text[GS_FAKE_BYTES];

	if (gs_fake_value(fake, kind, &person->want, text) > 0 &&
		pour(text, form, out))
		return true;
	if (kind != GS_KIND_PHONE && kind != GS_KIND_PHONE_NATIONAL)
		return false;
	for (int l = -1; l < GS_LOCALE_COUNT; l++)
	{
		if (l >= 0)
			fake->locale = l;
		if (gs_fake_value(fake, GS_KIND_PHONE_NATIONAL, &person->want,
						  text) > 0 && pour(text, form, out))
			return true;
	}
	fake->locale = locale;
	return false;
}

/*
 * gs_person_draw: appends a row's text, or the try-th other one.
 *
 * form: NULL, or a text of the column's format, whose separators a number
 * takes over if it has as many digits, and an address what stands around its
 * names.  Returns false where no text fits the column.
 * What is allocated is in the current context.
 */
bool
gs_person_draw(GsPersonDecoder *person, const GsBatch *batch, int row,
			   int try, const char *form, StringInfo out)
{
	GsKindId	kind = person->column->kind->id;
	char		text[GS_FAKE_BYTES];
	GsFake		fake;

	begin(person, batch, row, try, &fake);
	if (form != NULL && person->column->kind->unique)
	{
		if (gs_fake_like(&fake, kind, &person->want, form, text) < 0 &&
			gs_fake_value(&fake, kind, &person->want, text) < 0)
			return false;
	}
	else if (form != NULL && pour_value(person, &fake, form, out))
		return true;
	else if (gs_fake_value(&fake, kind, &person->want, text) < 0)
		return false;
	appendStringInfoString(out, pg_any_to_server(text, strlen(text), PG_UTF8));
	return true;
}

/*
 * gs_person_number: the same with a number of so many digits in it, which
 * makes it distinct.
 */
bool
gs_person_number(GsPersonDecoder *person, const GsBatch *batch, int row,
				 int try, uint64 number, int digits, StringInfo out)
{
	GsFakeWant	want = person->want;
	char		text[GS_FAKE_BYTES];
	GsFake		fake;

	want.suffix = number;
	want.suffix_digits = digits;
	begin(person, batch, row, try, &fake);
	if (gs_fake_value(&fake, person->column->kind->id, &want, text) < 0)
		return false;
	appendStringInfoString(out, text);
	return true;
}
