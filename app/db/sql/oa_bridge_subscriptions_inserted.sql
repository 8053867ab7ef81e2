-- Calls oa_bridge_subscriptions_counted once for each statement by which answers to popups, or reports of deliveries, are inserted.
CREATE OR REPLACE TRIGGER oa_bridge_subscriptions_inserted AFTER INSERT ON subscription_events
REFERENCING NEW TABLE AS new_rows
FOR EACH STATEMENT EXECUTE FUNCTION oa_bridge_subscriptions_counted();
