import { Button } from '@/components/ui/button'
import { Plus } from 'lucide-react'

export default function Counter() {
  const add = () => updateElement({ ...props, count: props.count + 1 })
  return (
    <div id="counter" className="flex items-center gap-4 rounded-md border p-4 w-fit">
      <span>{props.label}: <strong id="count">{props.count}</strong></span>
      <Button id="add" size="icon" variant="outline" aria-label="Add one" onClick={add}>
        <Plus className="h-4 w-4" />
      </Button>
    </div>
  )
}
