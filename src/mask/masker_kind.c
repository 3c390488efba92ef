/*
 * masker_kind.c
 *	  Values of kinds, for rows of a table: what they follow from, and what of
 *	  the row they fit.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/datetime.h"

#include "codec/styles.h"
#include "compat.h"
#include "lib/stringinfo.h"
#include "mask/masker_internal.h"
#include "mask/places.h"

/*
 * The number that makes a row's e-mail address one of its own: it follows from
 * the primary key, if that is a number, by a bijection; else it is so long that
 * no other row has it.  random: of the row.
 */
static GsMaskerSuffix
suffix_of(const GsMasker *masker, const Datum *values, const bool *nulls,
		  uint64 random)
{
	GsMaskerSuffix suffix = {random % LONG_SUFFIX, MAX_SUFFIX, 0};
	int			at = masker->number_at;
	int64		number;

	if (at < 0 || nulls[at])
		return suffix;
	number = masker->number_length == 2 ? DatumGetInt16(values[at]) :
		masker->number_length == 4 ? DatumGetInt32(values[at]) :
		DatumGetInt64(values[at]);
	number = gs_pseudonym_integer(&masker->suffix_key, number, PG_INT64_MAX);
	suffix.number = number < 0 ? ((uint64) number) % LONG_SUFFIX :
		(uint64) number;
	suffix.digits = number < 0 || number > PG_INT32_MAX ? MAX_SUFFIX :
		number < 100000 ? 5 : 10;
	return suffix;
}

/*
 * A birth date stays within its five years, and what is drawn from it, such
 * as a national id, fits.
 */
static void
keep_age(GsMasker *masker, const Datum *values, const bool *nulls)
{
	for (int i = 0; i < masker->ncolumns; i++)
	{
		const GsMaskerColumn *column = &masker->columns[i];
		DateADT		date;
		int			year;
		int			month;
		int			day;
		int			first;
		int			last;

		if (column->rule->action != GS_RULE_KIND || nulls[column->at] ||
			column->rule->kind->id != GS_KIND_BIRTH_DATE ||
			column->base != DATEOID)
			continue;
		date = DatumGetDateADT(values[column->at]);
		if (DATE_NOT_FINITE(date))
			continue;
		j2date(date + POSTGRES_EPOCH_JDATE, &year, &month, &day);
		/* nobody's birth */
		if (year < 5 || year > 9999)
			continue;
		year -= year % 5;
		first = date2j(year, 1, 1) - UNIX_EPOCH_JDATE;
		last = date2j(year + 4, 12, 31) - UNIX_EPOCH_JDATE;
		for (int f = 0; f < masker->nfakes; f++)
			gs_fake_keep_birth(&masker->fakes[f], first, last);
	}
}

/* Random bits for a row, and the generators that they drive. */
static void
begin_fakes(GsMasker *masker, const Datum *values, const bool *nulls,
			int attempt, uint64_t random[2])
{
	GsSipHash	hash;
	char		use[] = {ROW_HASH, (char) attempt};

	gs_siphash_begin(&hash, masker->key.word);
	gs_siphash_add(&hash, use, sizeof(use));
	gs_siphash_add(&hash, masker->table, strlen(masker->table) + 1);
	for (int i = 0; i < masker->nidentity; i++)
		gs_masker_hash(&hash, &masker->identity[i],
				   values[masker->identity[i].at],
				   nulls[masker->identity[i].at]);
	gs_siphash_end(&hash, random);
	for (int i = 0; i < masker->nfakes; i++)
		gs_fake_begin(&masker->fakes[i], &masker->setups[i], random);
	keep_age(masker, values, nulls);
	for (int i = 0; i < masker->nkept; i++)
	{
		GsMaskerKept *kept = &masker->kept[i];
		char	   *text;

		if (nulls[kept->column.at])
			continue;
		text = gs_masker_text(&kept->column, values[kept->column.at]);
		for (int f = 0; f < masker->nfakes; f++)
			gs_fake_keep(&masker->fakes[f], kept->kind, text,
						 (int) strlen(text));
	}
}

/*
 * gs_masker_begin_row: sets up the generators for a row, if there are any.
 *
 * Returns the number that makes the row's addresses its own.
 */
GsMaskerSuffix
gs_masker_begin_row(GsMasker *masker, const Datum *values, const bool *nulls,
					int attempt)
{
	uint64_t	random[2];
	GsMaskerSuffix suffix;
	int			level = 0;

	if (masker->nfakes == 0)
		return (GsMaskerSuffix) {0};
	if (masker->styled)
		level = gs_fix_styles();
	begin_fakes(masker, values, nulls, attempt, random);
	if (masker->styled)
		gs_end_settings(level);
	suffix = suffix_of(masker, values, nulls, random[0]);
	suffix.random = random[1];
	return suffix;
}

/*
 * gs_masker_place: a place of the table's own rows that agrees with what the
 * row keeps; NULL if there is none.
 */
const Datum *
gs_masker_place(GsMasker *masker, const Datum *values, const bool *nulls,
				uint64 random)
{
	StringInfoData key;

	initStringInfo(&key);
	for (int i = 0; i < masker->places->nkept; i++)
	{
		GsMaskerHashed *kept = &masker->place_key[i];

		if (!nulls[kept->at])
			appendStringInfoString(&key, gs_masker_text(kept,
														values[kept->at]));
		/* blanks at the end of a char(n) are no part of it */
		while (kept->base == BPCHAROID && key.len > 0 &&
			   key.data[key.len - 1] == ' ')
			key.data[--key.len] = '\0';
		appendStringInfoChar(&key, '\x01');
	}
	return gs_places_draw(masker->places, key.data, random);
}

/*
 * gs_masker_kind: a value of a kind.  Sex is written as the value was: in a letter or a word,
 * and with a capital or not.
 */
Datum
gs_masker_kind(GsMasker *masker, GsMaskerColumn *column, Datum value,
			   const GsMaskerSuffix *suffix)
{
	GsFake	   *fake = &masker->fakes[column->fake];
	char	   *was;
	char	   *made;
	Datum		result;

	if (column->rule->kind->id != GS_KIND_SEX || !column->text)
	{
		if (column->kind.want.suffix_digits == 0)
			return gs_kind_datum(&column->kind, fake, 0);
		if (column->narrow)
			return gs_kind_datum(&column->kind, fake,
								 gs_permute(&masker->suffix,
											*masker->counter - 1));
		column->kind.want.suffix_digits = suffix->digits;
		return gs_kind_datum(&column->kind, fake, suffix->number);
	}
	was = TextDatumGetCString(value);
	column->kind.want.max_chars = was[1] == '\0' || was[1] == ' ' ? 1 :
		column->room;
	result = PointerGetDatum(DatumGetTextPCopy(gs_kind_datum(&column->kind,
															  fake, 0)));
	made = VARDATA(DatumGetPointer(result));
	made[0] = (char) (was[0] >= 'A' && was[0] <= 'Z' ?
					  pg_ascii_toupper((unsigned char) made[0]) :
					  pg_ascii_tolower((unsigned char) made[0]));
	return result;
}
