/* groups: the check groups of net_spec, one function each, by file. */
#ifndef NET_SPEC_GROUPS_H
#define NET_SPEC_GROUPS_H

/* values_spec.c: without a network */
void buffer_grows_to_its_limit (void);
void headers_refuse_injection (void);
void headers_are_replaced_and_removed (void);
void many_headers_are_found (void);
void headers_are_read (void);
void uris_are_read_and_refused (void);
void uris_resolve_as_rfc_3986_says (void);
void uris_know_origin_and_place (void);
void appended_uris_are_kept (void);
void resolved_uris_are_kept (void);
void resolved_uris_are_not_taken_for_appended_ones (void);
void uris_hide_secrets (void);
void timers_fire_in_order (void);
void timers_fire_in_order_after_changes (void);
void host_queues_are_bounded (void);
void transport_has_defaults (void);
void failures_have_names (void);
void integers_are_written (void);
void numbers_fit_their_digits (void);
void numbers_are_written (void);
void bytes_are_percent_encoded (void);

/* mask_spec.c: without a network */
void uris_are_masked (void);
void headers_are_masked (void);
void forms_and_json_are_masked (void);
void markup_and_parts_are_masked (void);
void secrets_are_remembered (void);

/* transfer_spec.c: one exchange and its outcome */
void connections_are_kept (void);
void methods_and_bodies_arrive (void);
void responses_are_read (void);
void redirects_stay_in_the_origin (void);
void exchanges_are_recorded (void);
void redirects_change_the_method (void);
void cut_responses_fail (void);
void some_requests_are_sent_once (void);
void cut_connections_are_replaced_once (void);
void new_connections_have_their_limit (void);
void renewed_handles_have_their_limit (void);
void handles_are_kept_up_to_their_limit (void);
void bad_responses_fail (void);
void first_header_lines_stand_alone (void);
void connecting_fails (void);
void limits_of_time_hold (void);
void limits_of_size_hold (void);
void proxies_are_used_and_blamed (void);

/* isolation_spec.c: sessions stay separate */
void cookies_stay_in_their_jar (void);
void jars_forget (void);
void cookies_come_back_as_they_were (void);
void cookies_that_would_be_lost_stay (void);
void credentials_stay_with_their_exchange (void);
void nothing_is_left_on_a_handle (void);
void handles_know_the_certificates_again (void);
void broken_connections_leave_doubt (void);
void stranded_handles_forget_that (void);
void ports_are_used_again (void);
void retries_go_to_the_right_uri (void);
void unsolicited_responses_are_dropped (void);

/* engine_spec.c: stepping, cancelling, freeing */
void idle_engines_do_nothing (void);
void timers_fire_from_a_step (void);
void cancelled_exchanges_are_reported_once (void);
void pending_exchanges_are_freed (void);
void engines_are_freed_with_pending_exchanges (void);
void owners_may_step_again (void);
void budgets_are_kept (void);
void many_run_at_once (void);
void waiting_exchanges_start_and_end (void);
void waiting_exchanges_outlive_the_engine (void);
void origins_have_queues_of_their_own (void);
void refused_sockets_are_looked_at (void);
void lack_of_descriptors_is_survived (void);
void connections_are_not_inherited (void);
void descriptors_tell (void);
void idle_memory_is_given_back (void);
void lack_of_memory_is_survived (void);

/* stepping_spec.c: the work of one step, and when the host must step */
void sockets_share_the_budget (void);
void few_connections_begin_in_a_step (void);
void starting_exchanges_can_be_ended (void);
void kept_connections_begin_together (void);
void late_hosts_read_sockets_first (void);
void stopped_hosts_read_sockets_first (void);
void descriptors_tell_of_work_outside_steps (void);
void cancelled_bodies_are_freed (void);

/* flow_spec.c: bodies that flow */
void bodies_wait_for_their_owner (void);
void ends_wait_for_the_last_bytes (void);
void bodies_are_cancelled_anywhere (void);
void bodies_are_freed_anywhere (void);
void short_bodies_are_told_whole (void);
void long_bodies_flow_from_their_beginning (void);
void later_bytes_are_told_at_once (void);
void flowing_bodies_have_their_limits (void);
void flowing_bodies_survive_lack_of_memory (void);

#endif
