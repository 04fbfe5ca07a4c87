#include "protocol/list.h"

#include "protocol/btt/btt.h"
#include "protocol/datasnap/datasnap.h"
#include "protocol/jsdo/jsdo.h"
#include "protocol/proiv/proiv.h"

const struct protocol *const protocol_list[] = {
    &protocol_jsdo, /* the default */
    &protocol_datasnap, &protocol_proiv, &protocol_btt, NULL,
};
