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
  auto body = ask_all_pages(with, [](std::size_t offset) { return list_letters(offset); });
  if (!body) return body.error();
  const auto& data = (*body)["data"];
  with.out << (with.options.json ? pretty(data) : letters_table(data["affected_items"]));
  return finish_envelope(with, *body);
}

exit_code show(session& with, const std::string& id) {
  auto body = ask_json(with, show_letter(id));
  if (!body) return body.error();
  for (const auto& letter : body->value("/data/affected_items"_json_pointer, json::array()))
    with.out << (with.options.json ? pretty(letter) : letter_details(letter));
  return finish_envelope(with, *body);
}

struct chosen_letters {
  std::vector<std::string> ids;
  bool all = false;
};

/// Asks for the letters in portions that a request line can name.
exit_code change(session& with, const chosen_letters& letters,
                 api_request (*make)(const std::vector<std::string>&), const char* done) {
  if (letters.ids.empty() != letters.all)
    return complain(with, {errc::invalid_argument,
                           "name the letters, or give --all",
                           {},
                           "list them with 'picketctl deadletter list'"});
  auto ids = letters.all ? std::vector<std::string>{"all"} : letters.ids;
  json changed = json::array();
  bool any_failed = false;
  for (std::size_t from = 0; from < ids.size(); from += ids_per_request) {
    auto to = ids.begin() + static_cast<long>(std::min(ids.size(), from + ids_per_request));
    auto body = ask_json(with, make({ids.begin() + static_cast<long>(from), to}));
    if (!body) return body.error();
    for (const auto& id : body->value("/data/affected_items"_json_pointer, json::array()))
      changed.push_back(id);
    any_failed = finish_envelope(with, *body) != exit_code::ok || any_failed;
  }
  if (with.options.json)
    with.out << pretty({{done, changed}});
  else if (!changed.empty())
    with.out << done << ": "
             << (letters.all ? std::to_string(changed.size())
                             : printable(member_text({{"ids", changed}}, "ids")))
             << "\n";
  return !any_failed ? exit_code::ok : changed.empty() ? exit_code::no : exit_code::partial;
}

} // namespace

void add_deadletter_commands(command_table& table) {
  auto& group = table.add_group("deadletter", "Lines that were set aside because the analysis died of them");
  auto id = std::make_shared<std::string>();
  auto letters = std::make_shared<chosen_letters>();
  table.add(group, "list", "List dead letters, oldest first", [&table] { return list(table.with); });
  table.add(group, "show", "Show all of one", [&table, id] { return show(table.with, *id); })
      .add_option("ID", *id, "Id of the letter")
      ->required();
  auto choose = [letters](CLI::App& command, const char* all) {
    command.add_option("ID", letters->ids, "Ids of letters");
    command.add_flag("--all", letters->all, all);
  };
  choose(table.add(group, "retry", "Have lines analysed once more",
                   [&table, letters] { return change(table.with, *letters, retry_letters, "sent on"); }),
         "Every letter that is there");
  choose(table.add(group, "drop", "Remove letters for good",
                   [&table, letters] { return change(table.with, *letters, drop_letters, "dropped"); }),
         "Every letter that is there");
}

} // namespace picket::ctl
