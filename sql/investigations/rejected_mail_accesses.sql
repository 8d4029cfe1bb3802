/* Records that could not be stored and speak of MailItemsAccessed: accesses that no report shows. */
SELECT count(*) AS records
FROM quarantine
-- The name in hexadecimal, because a damaged record need not be text.
WHERE encode(record, 'hex') LIKE '%4d61696c4974656d734163636573736564%'
