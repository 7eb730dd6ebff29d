#pragma once

#include <functional>

#include "node/picketctl/api_call.hpp"

namespace picket::ctl {

/// Asks for one page after the other until all items are there; answers the last envelope with the items of
/// all. What comes or goes in between may be missing or stand twice. `page` makes the request for an offset.
tl::expected<json, exit_code> ask_all_pages(session& with,
                                            const std::function<api_request(std::size_t)>& page);

} // namespace picket::ctl
