// What the page knows: boards and commands, kept up to date by answers and by the stream.
// Of the commands it keeps the newest of each target, and those it heard of last.

const COMMANDS_MAX = 200;

export class Store extends EventTarget {
  boards = new Map();
  sites = new Map();
  commands = new Map();
  session = null; // who is signed in
  verbs = {};
  dialects = {}; // of boards that are not our own: {name: {verbs, limits}}
  #newest = new Map(); // "board/target" -> its newest command
  #heard = new Map(); // board id -> when the stream last told of it

  // All boards there are to see, asked for at `asked`; what the stream told since is newer.
  setBoards(list, asked) {
    const listed = new Set(list.map((board) => board.id));
    for (const id of this.boards.keys()) {
      if (!listed.has(id) && !(this.#heard.get(id) >= asked)) this.boards.delete(id);
    }
    for (const board of list) {
      if (!(this.#heard.get(board.id) >= asked)) this.boards.set(board.id, board);
    }
    this.#changed("boards");
  }

  setSites(list) {
    this.sites = new Map(list.map((site) => [site.id, site]));
    this.#changed("site-list");
  }

  boardEvent(board) {
    this.#heard.set(board.id, performance.now());
    this.boards.set(board.id, board);
    this.#changed("boards");
  }

  // A command out of an answer: taken unless a newer one is known.
  put(command) {
    const known = this.#known(command);
    if (known && known.updated_at >= command.updated_at) return known;
    return this.#keep(command, known);
  }

  // A command out of the stream, with its newest step.
  commandEvent(command) {
    const known = this.#known(command);
    if (known?.last && known.last.id >= command.last.id) return;
    this.#keep(command, known);
  }

  // What a board understands.
  verbsOf(boardId) {
    return this.dialects[this.boards.get(boardId)?.dialect]?.verbs ?? this.verbs;
  }

  // What only some views wait for: they listen to the store for it.
  tell(kind, detail) {
    this.#changed(kind, detail);
  }

  // What was known of commands may not be so any more: another database answers now.
  forget() {
    this.commands.clear();
    this.#newest.clear();
  }

  // The newest command of a board's target ("" = of the board as a whole), or undefined.
  newest(boardId, target) {
    return this.#newest.get(`${boardId}/${target}`);
  }

  // The newest command of a board of these types that is known (and passes), or undefined.
  newestOf(boardId, types, statuses, passes = () => true) {
    let found;
    for (const one of this.commands.values()) {
      const fits = one.board_id === boardId && types.includes(one.command_type)
        && (!statuses || statuses.includes(one.status)) && passes(one);
      if (fits && !(found?.seq > one.seq)) found = one;
    }
    return found;
  }

  #known(command) {
    const newest = this.newest(command.board_id, command.target);
    return newest?.id === command.id ? newest : this.commands.get(command.id);
  }

  #keep(command, known) {
    const kept = { ...command, within: within(command) ?? known?.within };
    this.commands.delete(kept.id); // so that it goes to the end of those heard of
    this.commands.set(kept.id, kept);
    if (this.commands.size > COMMANDS_MAX) this.commands.delete(this.commands.keys().next().value);
    const newest = this.newest(kept.board_id, kept.target);
    if (!(newest?.seq > kept.seq)) this.#newest.set(`${kept.board_id}/${kept.target}`, kept);
    this.#changed("command", kept);
    return kept;
  }

  #changed(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

// {at, seconds}: when the board accepted it, and the time in which it promised a result.
function within(command) {
  const steps = command.history || (command.last ? [command.last] : []);
  const step = steps.find((one) => one.event === "accepted" && one.detail.within !== undefined);
  return step && { at: step.at, seconds: step.detail.within };
}
