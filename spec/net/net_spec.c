/*
** net_spec [PART...]: runs the check groups of csrc/net: all, or those of some parts. Prints one line per
** group.
*/
#include "check.h"
#include "groups.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Seconds, in case a wait never ends; under valgrind all takes longer. */
enum { LONGEST = 300 };

static void clear_proxies (void) {
  unsetenv("http_proxy");
  unsetenv("https_proxy");
  unsetenv("HTTPS_PROXY");
  unsetenv("all_proxy");
  unsetenv("ALL_PROXY");
  unsetenv("no_proxy");
  unsetenv("NO_PROXY");
}

#define RUN(group) check_group(#group, group)

static void run_values (void) {
  RUN(buffer_grows_to_its_limit);
  RUN(headers_refuse_injection);
  RUN(headers_are_replaced_and_removed);
  RUN(many_headers_are_found);
  RUN(headers_are_read);
  RUN(uris_are_read_and_refused);
  RUN(uris_resolve_as_rfc_3986_says);
  RUN(uris_know_origin_and_place);
  RUN(appended_uris_are_kept);
  RUN(resolved_uris_are_kept);
  RUN(resolved_uris_are_not_taken_for_appended_ones);
  RUN(uris_hide_secrets);
  RUN(timers_fire_in_order);
  RUN(timers_fire_in_order_after_changes);
  RUN(host_queues_are_bounded);
  RUN(transport_has_defaults);
  RUN(failures_have_names);
  RUN(integers_are_written);
  RUN(numbers_fit_their_digits);
  RUN(numbers_are_written);
  RUN(bytes_are_percent_encoded);
}

static void run_mask (void) {
  RUN(uris_are_masked);
  RUN(headers_are_masked);
  RUN(forms_and_json_are_masked);
  RUN(markup_and_parts_are_masked);
  RUN(secrets_are_remembered);
}

static void run_transfers (void) {
  RUN(connections_are_kept);
  RUN(methods_and_bodies_arrive);
  RUN(responses_are_read);
  RUN(redirects_stay_in_the_origin);
  RUN(exchanges_are_recorded);
  RUN(redirects_change_the_method);
  RUN(cut_responses_fail);
  RUN(some_requests_are_sent_once);
  RUN(cut_connections_are_replaced_once);
  RUN(new_connections_have_their_limit);
  RUN(renewed_handles_have_their_limit);
  RUN(handles_are_kept_up_to_their_limit);
  RUN(bad_responses_fail);
  RUN(first_header_lines_stand_alone);
  RUN(connecting_fails);
  RUN(limits_of_time_hold);
  RUN(limits_of_size_hold);
  RUN(proxies_are_used_and_blamed);
}

static void run_isolation (void) {
  RUN(cookies_stay_in_their_jar);
  RUN(jars_forget);
  RUN(cookies_come_back_as_they_were);
  RUN(cookies_that_would_be_lost_stay);
  RUN(credentials_stay_with_their_exchange);
  RUN(nothing_is_left_on_a_handle);
  RUN(handles_know_the_certificates_again);
  RUN(broken_connections_leave_doubt);
  RUN(stranded_handles_forget_that);
  RUN(ports_are_used_again);
  RUN(retries_go_to_the_right_uri);
  RUN(unsolicited_responses_are_dropped);
}

static void run_engines (void) {
  RUN(idle_engines_do_nothing);
  RUN(timers_fire_from_a_step);
  RUN(cancelled_exchanges_are_reported_once);
  RUN(pending_exchanges_are_freed);
  RUN(engines_are_freed_with_pending_exchanges);
  RUN(owners_may_step_again);
  RUN(budgets_are_kept);
  RUN(many_run_at_once);
  RUN(waiting_exchanges_start_and_end);
  RUN(waiting_exchanges_outlive_the_engine);
  RUN(origins_have_queues_of_their_own);
  RUN(refused_sockets_are_looked_at);
  RUN(lack_of_descriptors_is_survived);
  RUN(connections_are_not_inherited);
  RUN(descriptors_tell);
  RUN(idle_memory_is_given_back);
  RUN(lack_of_memory_is_survived);
}

static void run_stepping (void) {
  RUN(sockets_share_the_budget);
  RUN(few_connections_begin_in_a_step);
  RUN(starting_exchanges_can_be_ended);
  RUN(kept_connections_begin_together);
  RUN(late_hosts_read_sockets_first);
  RUN(stopped_hosts_read_sockets_first);
  RUN(descriptors_tell_of_work_outside_steps);
  RUN(cancelled_bodies_are_freed);
}

static void run_flows (void) {
  RUN(bodies_wait_for_their_owner);
  RUN(ends_wait_for_the_last_bytes);
  RUN(bodies_are_cancelled_anywhere);
  RUN(bodies_are_freed_anywhere);
  RUN(short_bodies_are_told_whole);
  RUN(long_bodies_flow_from_their_beginning);
  RUN(later_bytes_are_told_at_once);
  RUN(flowing_bodies_have_their_limits);
  RUN(flowing_bodies_survive_lack_of_memory);
}

/* By the files PART_spec.c. */
static const struct part {
  const char *name;
  void (*run)(void);
} parts[] = {
    {"values", run_values},       {"mask", run_mask},      {"transfer", run_transfers},
    {"isolation", run_isolation}, {"engine", run_engines}, {"stepping", run_stepping},
    {"flow", run_flows},
};

/* True if `name` is among the `count` arguments, or if there are none. */
static bool is_wanted (const char *name, int count, char *const *arguments) {
  for (int i = 0; i < count; i++)
    if (strcmp(arguments[i], name) == 0) return true;
  return count == 0;
}

int main (int argc, char **argv) {
  alarm(LONGEST);
  clear_proxies();
  for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
    if (is_wanted(parts[i].name, argc - 1, argv + 1)) parts[i].run();
  return check_summary();
}
