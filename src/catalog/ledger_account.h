/*
 * ledger_account.h
 *	  The account that a table has in the privacy ledger.
 */
#ifndef GENSYNTH_CATALOG_LEDGER_ACCOUNT_H
#define GENSYNTH_CATALOG_LEDGER_ACCOUNT_H

/* A table, or the one that it is a partition of, and its account. */
typedef struct GsLedgerAccount
{
	Oid			relid;
	char	   *name;			/* qualified and quoted */
	Datum		oids;			/* oid[]: all tables of the account */
	Datum		names;			/* text[]: theirs */
} GsLedgerAccount;

extern void gs_ledger_account_find(Oid relid, GsLedgerAccount *account);

#endif
