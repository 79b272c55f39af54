import { Icon } from "./icon.tsx";

/** The words of a search, inside of `.search.inline`. */
export function SearchInput(props: {
  id: string;
  label: string;
  value: string;
  placeholder: string;
}) {
  return (
    <>
      <Icon name="search" size={14} />
      <label for={props.id} class="sr">
        {props.label}
      </label>
      <input
        id={props.id}
        name="search"
        type="search"
        value={props.value}
        placeholder={props.placeholder}
        autocomplete="off"
      />
    </>
  );
}
