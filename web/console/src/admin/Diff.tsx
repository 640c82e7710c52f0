// Lines that come and go, told by sign, weight and strike, not by colour alone.

export function Diff({ text }: { text: string }) {
  return (
    <pre className="max-h-[50vh] overflow-auto rounded-lg bg-bg p-3 text-[0.9rem]" tabIndex={0}>
      {text.split('\n').map((line, n) => <span key={n} className={`block ${line.startsWith('+') ? 'font-semibold text-good' : line.startsWith('-') ? 'text-bad line-through decoration-1' : 'text-soft'}`}>{line || ' '}</span>)}
    </pre>
  );
}
