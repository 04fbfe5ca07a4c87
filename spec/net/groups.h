/*
** groups: the check groups of net_spec, one function each, by the file that they are in.
*/
#ifndef NET_SPEC_GROUPS_H
#define NET_SPEC_GROUPS_H

/* values_spec.c: what needs no network */
void buffer_grows_to_its_limit (void);
void headers_refuse_injection (void);
void headers_are_replaced_and_removed (void);
void many_headers_are_found (void);
void headers_are_read (void);
void uris_are_read_and_refused (void);
void uris_resolve_as_rfc_3986_says (void);
void uris_know_origin_and_place (void);
void appended_uris_are_kept (void);
void uris_hide_secrets (void);
void timers_fire_in_order (void);
void transport_has_defaults (void);
void failures_have_names (void);
void numbers_are_written (void);

/* transfer_spec.c: one exchange and its outcome */
void connections_are_kept (void);
void methods_and_bodies_arrive (void);
void responses_are_read (void);
void redirects_stay_in_the_origin (void);
void redirects_change_the_method (void);
void cut_responses_fail (void);
void some_requests_are_sent_once (void);
void new_connections_have_their_limit (void);
void bad_responses_fail (void);
void first_header_lines_stand_alone (void);
void connecting_fails (void);
void limits_of_time_hold (void);
void limits_of_size_hold (void);
void proxies_are_used_and_blamed (void);

/* isolation_spec.c: what must not pass from one session to another */
void cookies_stay_in_their_jar (void);
void jars_forget (void);
void cookies_come_back_as_they_were (void);
void cookies_that_would_be_lost_stay (void);
void credentials_stay_with_their_exchange (void);
void nothing_is_left_on_a_handle (void);
void handles_know_the_certificates_again (void);
void retries_go_to_the_right_uri (void);
void unasked_answers_reach_nobody (void);

/* engine_spec.c: stepping, cancelling, freeing */
void idle_engines_do_nothing (void);
void timers_are_told (void);
void cancelled_exchanges_are_told_once (void);
void exchanges_are_freed_in_flight (void);
void engines_are_freed_in_flight (void);
void owners_may_step_again (void);
void budgets_are_kept (void);
void many_fly_at_once (void);
void those_that_wait_have_their_turn (void);
void waiting_exchanges_outlive_the_engine (void);
void origins_have_lanes_of_their_own (void);
void refused_sockets_are_looked_at (void);
void lack_of_descriptors_is_survived (void);
void connections_are_not_inherited (void);
void descriptors_tell (void);
void idle_memory_is_given_back (void);
void lack_of_memory_is_survived (void);

/* stepping_spec.c: what a step takes up, and when the host is to step */
void sockets_share_the_budget (void);
void few_connections_begin_in_a_step (void);
void what_waits_to_start_can_be_ended (void);
void kept_connections_begin_together (void);
void who_looks_late_looks_again (void);
void who_was_held_up_looks_first (void);
void descriptors_tell_of_work_outside_steps (void);
void cancelled_bodies_are_freed (void);

#endif
