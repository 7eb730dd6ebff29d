#include <memory>
#include <ostream>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "node/picketctl/command_line.hpp"
#include "node/picketctl/listing.hpp"
#include "node/picketctl/requests.hpp"
#include "node/picketctl/text_table.hpp"
#include "node/picketctl/views.hpp"

namespace picket::ctl {

namespace {

exit_code list(session& with) {
  auto body = ask_all_pages(with, [](std::size_t offset) { return list_groups(offset); });
  if (!body) return body.error();
  const auto& data = (*body)["data"];
  with.out << (with.options.json ? pretty(data) : groups_table(data["affected_items"]));
  return finish_envelope(with, *body);
}

exit_code add(session& with, const std::string& name) {
  auto body = ask_json(with, add_group(name));
  if (!body) return body.error();
  if (with.options.json)
    with.out << pretty({{"group", name}});
  else
    with.out << "group '" << printable(name) << "' is there\n";
  return exit_code::ok;
}

exit_code remove(session& with, const std::vector<std::string>& names) {
  auto body = ask_json(with, remove_groups(names));
  if (!body) return body.error();
  const auto removed = body->value("/data/affected_items"_json_pointer, json::array());
  if (with.options.json)
    with.out << pretty({{"removed", removed}});
  else if (!removed.empty())
    with.out << "removed: " << printable(member_text({{"names", removed}}, "names")) << "\n";
  return finish_envelope(with, *body);
}

} // namespace

void add_group_commands(command_table& table) {
  auto& group = table.add_group("group", "Groups of agents");
  auto names = std::make_shared<std::vector<std::string>>();
  auto name = std::make_shared<std::string>();
  table.add(group, "list", "List groups with the number of their agents",
            [&table] { return list(table.with); });
  auto& adding = table.add(group, "add", "Make a group", [&table, name] { return add(table.with, *name); });
  adding.add_option("NAME", *name, "Name of the group")->required();
  auto& removing = table.add(group, "remove", "Remove groups; their agents lose them",
                             [&table, names] { return remove(table.with, *names); });
  removing.add_option("NAME", *names, "Names of groups")->required();
}

} // namespace picket::ctl
